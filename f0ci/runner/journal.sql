-- The journal of runs, version 1 (PRAGMA user_version). Times are seconds since the epoch (UTC); columns called
-- arguments, parameters, options, outputs, value and data hold JSON. Known secrets never stand here: where one would, it is
-- U+E000, its name, U+E001. Readers may rely on tables and columns of a version; new versions only add.

-- what a run follows, frozen when it was started, shared by runs that follow the same
CREATE TABLE plans (
    plan TEXT PRIMARY KEY,          -- SHA-256 of the document
    document TEXT NOT NULL          -- {"version", "recipe", "files": {path: text}, "secrets": [providers], "environment"}
) WITHOUT ROWID;

CREATE TABLE runs (
    run TEXT PRIMARY KEY,           -- its id, given or made
    number INTEGER NOT NULL,        -- order of creation, from 1
    plan TEXT NOT NULL,             -- plans.plan
    recipe TEXT NOT NULL,           -- file of the recipe, relative to root
    root TEXT NOT NULL,             -- the repository it was started in; of a promotion, the checkout of its release
    environment TEXT,               -- name of the environment, or null
    release TEXT,                   -- digest of the release, or null
    parameters TEXT NOT NULL,       -- as bound
    options TEXT NOT NULL,          -- as given; variables.F0CI_PROMOTION is there where a promotion made it
    values_before TEXT NOT NULL,    -- the context's values at the start, by key
    parent TEXT,                    -- the run whose records were taken over by --from, or null
    state TEXT NOT NULL,            -- queued, running, waiting, stopped; when over: passed, skipped, failed, errored, cancelled
    message TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL,
    ended REAL,                     -- null until it is over
    seconds REAL NOT NULL DEFAULT 0,-- time in which somebody carried it on
    next_check REAL,                -- when a waiting run may go on by itself, or null
    owner TEXT,                     -- who carries it on; alive while the lock owners/<owner> is held
    cancel TEXT                     -- why somebody wants it to end, or null
) WITHOUT ROWID;
CREATE INDEX runs_by_number ON runs (number);

-- one row a step of a run, sub-recipes included; written when it starts, completed once when it is over
CREATE TABLE steps (
    run TEXT NOT NULL,
    path TEXT NOT NULL,             -- the step's name; inside sub-recipes parent/child
    round TEXT NOT NULL,            -- attempts of the sub-recipe steps around it, as 1.2; empty at the top
    kind TEXT NOT NULL,             -- step type
    outcome TEXT NOT NULL,          -- running, waiting; when over: passed, skipped, failed, errored
    position INTEGER,               -- order in which the steps of its recipe ended
    attempts INTEGER NOT NULL DEFAULT 0,
    started REAL,
    ended REAL,
    seconds REAL NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    outputs TEXT NOT NULL DEFAULT '{}',
    output TEXT NOT NULL DEFAULT '',-- the end of what it printed
    next_check REAL,                -- of a waiting step, as in runs
    PRIMARY KEY (run, path, round)
) WITHOUT ROWID;

-- attempts that failed and were followed by another
CREATE TABLE attempts (
    run TEXT NOT NULL,
    path TEXT NOT NULL,
    round TEXT NOT NULL,
    attempt INTEGER NOT NULL,       -- from 1
    started REAL NOT NULL,
    ended REAL NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (run, path, round, attempt)
) WITHOUT ROWID;

-- every change of the context, in order; the current value of a key is its last one
CREATE TABLE changes (
    run TEXT NOT NULL,
    number INTEGER NOT NULL,        -- from 1
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    who TEXT,                       -- author that the change names, by default the step
    step TEXT,                      -- path of the step, or null
    attempt INTEGER,                -- of the step
    time REAL NOT NULL,
    conflict TEXT,                  -- path of a step that wrote the key and may run at the same time, or null
    PRIMARY KEY (run, number)
) WITHOUT ROWID;

-- what people and systems sent to waiting steps
CREATE TABLE signals (
    run TEXT NOT NULL,
    number INTEGER NOT NULL,        -- from 1
    step TEXT NOT NULL,             -- path of the step
    kind TEXT NOT NULL,             -- approve, reject or event
    who TEXT,
    data TEXT NOT NULL,
    time REAL NOT NULL,
    key TEXT,                       -- what makes sending it twice the same as once, or null
    PRIMARY KEY (run, number)
) WITHOUT ROWID;
CREATE UNIQUE INDEX signals_once ON signals (run, step, key) WHERE key IS NOT NULL;
