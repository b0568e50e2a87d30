-- What a database of runs has beside the tables of journal.sql (schema f0ci), layout version 1. Readers may rely on
-- tables and columns of a version; new versions only add. DBOS keeps the queues in the schema f0ci_queue.

-- one row: the version of the layout
CREATE TABLE layout (
    version BIGINT NOT NULL
);

-- runs that workers carry on: those that were handed to a queue
CREATE TABLE handed_over (
    run TEXT PRIMARY KEY,
    queue TEXT NOT NULL,
    priority BIGINT NOT NULL,       -- smaller ones first
    turn BIGINT NOT NULL            -- how often the run was put into the queue; its entry there is <run>#<turn>
);

-- processes of `f0ci worker`; alive while each holds the advisory lock of its name
CREATE TABLE workers (
    worker TEXT PRIMARY KEY,        -- its name, and the executor id that DBOS knows
    host TEXT NOT NULL,
    pid BIGINT NOT NULL,
    folder TEXT NOT NULL,           -- the clone it works in
    queues TEXT NOT NULL,           -- JSON: names of the queues it takes runs from
    slots BIGINT NOT NULL,          -- runs it carries on at the same time at most
    started DOUBLE PRECISION NOT NULL,
    seen DOUBLE PRECISION NOT NULL, -- when it last said that it lives, by the server's clock
    version TEXT NOT NULL           -- of f0ci
);

CREATE INDEX runs_in_progress ON runs (state) WHERE ended IS NULL;
CREATE INDEX runs_due ON runs (next_check) WHERE state = 'waiting';

-- commands that start runs at the same moment must not get the same number
CREATE SEQUENCE run_numbers;
CREATE FUNCTION number_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.number := nextval('f0ci.run_numbers');
    RETURN NEW;
END $$;
CREATE TRIGGER number_run BEFORE INSERT ON runs FOR EACH ROW EXECUTE FUNCTION number_run();
