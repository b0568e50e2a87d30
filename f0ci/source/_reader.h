/* What the two ways through YAML share: the containers being filled, and what scalars mean; see _libyaml.c. */
#ifndef F0CI_READER_H
#define F0CI_READER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "_libyaml.h"

enum { FAILED = -1, UNUSUAL = 0, STEP = 1 };

enum { KEYS_KEPT = 1024 };

typedef struct {
    void (*version)(int *, int *, int *);
    int (*begin)(union libyaml_parser *);
    void (*set_input)(union libyaml_parser *, const unsigned char *, size_t);
    int (*parse)(union libyaml_parser *, struct libyaml_event *);
    void (*forget)(struct libyaml_event *);
    void (*end)(union libyaml_parser *);
    PyObject *keys[KEYS_KEPT]; /* by hash: the same few stand all over a repository */
    int interned;              /* how many keys were made known to Python as names */
} functions;

typedef struct {
    PyObject *box; /* a dict or a list */
    int is_map;
    PyObject *key; /* of a mapping: its latest key, whether the value has come or not */
    /* only where lines are read: the column that its keys or items begin in */
    Py_ssize_t indent;
    int is_beside; /* a list whose items begin in the column of the key it belongs to */
    /* only where positions are asked for */
    PyObject *key_span;
    struct libyaml_mark start;
    int is_flow;
} level;

typedef struct {
    functions *libyaml;
    union libyaml_parser parser;
    struct libyaml_event event;
    level *levels;
    Py_ssize_t depth, deepest;
    char has_meaning[128]; /* by first byte: a plain scalar may mean more than its text */
    PyObject *known;       /* what plain scalars mean; answers for unknown ones too, or raises ValueError */
    PyObject *braces;      /* list of (path, text), or NULL where no text has a brace */
    PyTypeObject *span;    /* NULL where positions are not asked for */
    PyObject *span_fields[4];
    PyObject *values, *keys;      /* spans by path */
    PyObject *latest_line;        /* its number as an object */
    size_t latest_number;
    struct libyaml_mark last_end; /* of the latest scalar or flow container */
} reader;

/* A scalar as it stands in the text, without its quotes. */
typedef struct {
    const char *text;
    size_t length;
    int is_plain;
} scalar;

/* What Python's reader leaves to the exact one (a text that is none, a number that is none) is a ValueError. */
int f0ci_step_aside(void);
/* Tells whether a text has the delimiter of an expression. */
int f0ci_has_brace(scalar found);
/* The path of what was added last. */
PyObject *f0ci_latest_path(reader *self);
/* Makes a scalar the latest key of the mapping being filled. */
int f0ci_take_key(reader *self, scalar found);
/* Adds a scalar to the container being filled, and notes it where it has a brace. */
int f0ci_put_scalar(reader *self, scalar found);
/* Adds an empty container to the one being filled, and fills that one from now on. */
int f0ci_open(reader *self, int is_map);
void f0ci_clear_level(level *of);

/* Reads what is written line by line; UNUSUAL where it takes libyaml. */
int f0ci_read_lines(reader *self, const char *raw, size_t length);

#endif
