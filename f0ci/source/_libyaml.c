/* libyaml's events straight into dictionaries and lists, without an object for each event.
 *
 * Does what f0ci/source/plain_yaml.py does, and on request what f0ci/source/yaml.py does with positions. Whatever is
 * unusual (an anchor, an alias, a tag, a merge key, a key twice, a scalar with two readings, an error) is left to them:
 * `read` returns None then, so that every message has one author.
 *
 * Invariants:
 *   - no function calls itself: open containers stand in `levels`, whose number is bounded by the caller's limit;
 *   - levels[0] is the list that holds the document; levels[depth] is the container being filled;
 *   - a container is owned by the one above it, levels[0] by the caller; key and key_span are owned by their level;
 *   - a step returns STEP (go on), UNUSUAL (give up, no exception is set) or FAILED (an exception is set).
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <dlfcn.h>

#include "_libyaml.h"

enum { FAILED = -1, UNUSUAL = 0, STEP = 1 };

/* no word that means more than its text ("false") is longer */
enum { LONGEST_WORD = 5, MOST_LEVELS = 10000 };
static const size_t NOWHERE = (size_t)-1;

typedef struct {
    void (*version)(int *, int *, int *);
    int (*begin)(union libyaml_parser *);
    void (*set_input)(union libyaml_parser *, const unsigned char *, size_t);
    int (*parse)(union libyaml_parser *, struct libyaml_event *);
    void (*forget)(struct libyaml_event *);
    void (*end)(union libyaml_parser *);
} functions;

static const char FUNCTIONS[] = "f0ci.source._libyaml.functions";

typedef struct {
    PyObject *box; /* a dict or a list */
    int is_map;
    PyObject *key; /* of a mapping: its latest key, whether the value has come or not */
    /* only where positions are asked for */
    PyObject *key_span;
    struct libyaml_mark start;
    int is_flow;
} level;

typedef struct {
    const functions *libyaml;
    union libyaml_parser parser;
    struct libyaml_event event;
    level *levels;
    Py_ssize_t depth, deepest;
    char has_meaning[128]; /* by first byte: a plain scalar may mean more than its text */
    PyObject *known;       /* what plain scalars mean; answers for unknown ones too, or raises ValueError */
    PyObject *braces;      /* list of (path, text), or NULL where no text has a brace */
    PyTypeObject *span;    /* NULL where positions are not asked for */
    PyObject *span_fields[4];
    PyObject *values, *keys; /* spans by path */
    struct libyaml_mark last_end; /* of the latest scalar or flow container */
} reader;

/* --- positions --- */

/* The path of what was added last. */
static PyObject *latest_path(reader *self)
{
    PyObject *path = PyTuple_New(self->depth);
    for (Py_ssize_t i = 0; path != NULL && i < self->depth; i++) {
        level *at = &self->levels[i + 1];
        PyObject *part = at->is_map ? Py_NewRef(at->key) : PyLong_FromSsize_t(PyList_GET_SIZE(at->box) - 1);
        if (part == NULL)
            Py_CLEAR(path);
        else
            PyTuple_SET_ITEM(path, i, part);
    }
    return path;
}

static PyObject *make_span(reader *self, struct libyaml_mark start, struct libyaml_mark end)
{
    size_t numbers[4] = {start.line + 1, start.column + 1, end.line + 1, end.column + 1};
    PyObject *span = self->span->tp_alloc(self->span, 0);
    for (int i = 0; span != NULL && i < 4; i++) {
        PyObject *field = self->span_fields[i], *number = PyLong_FromSize_t(numbers[i]);
        /* a span is frozen: its fields are set as object.__setattr__ does */
        if (number == NULL || Py_TYPE(field)->tp_descr_set(field, span, number) < 0)
            Py_CLEAR(span);
        Py_XDECREF(number);
    }
    return span;
}

/* Notes where the value stands that was added last, and its key. */
static int place(reader *self, struct libyaml_mark start, struct libyaml_mark end)
{
    level *top = &self->levels[self->depth];
    PyObject *path = latest_path(self), *span = path == NULL ? NULL : make_span(self, start, end);
    int done = span == NULL ? -1 : PyDict_SetItem(self->values, path, span);
    if (done == 0 && top->is_map)
        done = PyDict_SetItem(self->keys, path, top->key_span);
    Py_XDECREF(path);
    Py_XDECREF(span);
    return done < 0 ? FAILED : STEP;
}

/* --- texts with the delimiter of an expression --- */

static int has_brace(const char *text, size_t length)
{
    const char *end = text + length;
    for (const char *at = text; (at = memchr(at, '{', end - at)) != NULL; at++)
        if ((at > text && at[-1] == '#') || (at + 1 < end && at[1] == '{'))
            return 1;
    return 0;
}

static int note_brace(reader *self, PyObject *text)
{
    PyObject *path = latest_path(self), *pair = path == NULL ? NULL : PyTuple_Pack(2, path, text);
    int done = pair == NULL ? -1 : PyList_Append(self->braces, pair);
    Py_XDECREF(path);
    Py_XDECREF(pair);
    return done < 0 ? FAILED : STEP;
}

/* --- events --- */

static int next_event(reader *self)
{
    self->libyaml->forget(&self->event);
    if (self->libyaml->parse(&self->parser, &self->event))
        return STEP;
    if (self->parser.error != LIBYAML_MEMORY_ERROR)
        return UNUSUAL;
    PyErr_NoMemory();
    return FAILED;
}

/* What Python's reader leaves to the exact one (a text that is none, a number that is none) is a ValueError. */
static int step_aside(void)
{
    if (!PyErr_ExceptionMatches(PyExc_ValueError))
        return FAILED;
    PyErr_Clear();
    return UNUSUAL;
}

/* Gives the text of the present scalar and what it means; both owned by the caller. */
static int read_scalar(reader *self, PyObject **text, PyObject **value)
{
    const char *bytes = self->event.data.scalar.value;
    size_t length = self->event.data.scalar.length;
    unsigned char first = length ? (unsigned char)bytes[0] : 0;
    *text = *value = NULL;
    if (self->event.data.scalar.anchor != NULL || self->event.data.scalar.tag != NULL)
        return UNUSUAL;
    *text = PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)length, NULL);
    if (*text == NULL)
        return step_aside();
    if (!self->event.data.scalar.is_plain || first >= 128 || !self->has_meaning[first] ||
        (Py_ISALPHA(first) && PyUnicode_GET_LENGTH(*text) > LONGEST_WORD))
        *value = Py_NewRef(*text);
    else
        *value = PyObject_GetItem(self->known, *text);
    if (*value != NULL)
        return STEP;
    Py_CLEAR(*text);
    return step_aside();
}

static int take_key(reader *self)
{
    level *top = &self->levels[self->depth];
    PyObject *key, *value;
    int state = read_scalar(self, &key, &value);
    if (state != STEP)
        return state;
    /* a key keeps its text; the meaning was asked for because '<<' and ambiguous ones are not usual */
    Py_DECREF(value);
    Py_XSETREF(top->key, key);
    if (self->span == NULL)
        return STEP;
    self->last_end = self->event.end;
    Py_XSETREF(top->key_span, make_span(self, self->event.start, self->event.end));
    return top->key_span == NULL ? FAILED : STEP;
}

/* Adds a value to the container being filled. */
static int put(reader *self, PyObject *value)
{
    level *top = &self->levels[self->depth];
    if (!top->is_map)
        return PyList_Append(top->box, value) < 0 ? FAILED : STEP;
    Py_ssize_t before = PyDict_GET_SIZE(top->box);
    if (PyDict_SetItem(top->box, top->key, value) < 0)
        return FAILED;
    /* the key is there twice where it adds nothing */
    return PyDict_GET_SIZE(top->box) == before ? UNUSUAL : STEP;
}

static int take_scalar(reader *self)
{
    PyObject *text, *value;
    int state = read_scalar(self, &text, &value);
    if (state == STEP)
        state = put(self, value);
    if (state == STEP && self->braces != NULL &&
        has_brace(self->event.data.scalar.value, self->event.data.scalar.length))
        state = note_brace(self, text);
    if (state == STEP && self->span != NULL) {
        self->last_end = self->event.end;
        state = place(self, self->event.start, self->event.end);
    }
    Py_XDECREF(text);
    Py_XDECREF(value);
    return state;
}

static int open_container(reader *self)
{
    int is_map = self->event.type == LIBYAML_MAPPING_START;
    if (self->depth >= self->deepest || self->event.data.start.anchor != NULL || self->event.data.start.tag != NULL)
        return UNUSUAL;
    PyObject *box = is_map ? PyDict_New() : PyList_New(0);
    int state = box == NULL ? FAILED : put(self, box);
    if (state == STEP)
        self->levels[++self->depth] = (level){
            .box = box,
            .is_map = is_map,
            .start = self->event.start,
            .is_flow = self->event.data.start.style == LIBYAML_FLOW_STYLE,
        };
    /* from here on it is the container above that owns it */
    Py_XDECREF(box);
    return state;
}

static void clear_level(level *of)
{
    Py_CLEAR(of->key);
    Py_CLEAR(of->key_span);
}

static int close_container(reader *self)
{
    level closed = self->levels[self->depth--];
    int state = STEP;
    if (self->span != NULL) {
        /* libyaml ends a block where the next thing begins; its text ends with its last scalar */
        struct libyaml_mark end = closed.is_flow || self->last_end.line == NOWHERE ? self->event.end : self->last_end;
        if (closed.is_flow)
            self->last_end = end;
        state = place(self, closed.start, end);
    }
    clear_level(&closed);
    return state;
}

/* Reads all events; STEP where the document is whole. */
static int read_all(reader *self)
{
    for (;;) {
        int state = next_event(self);
        level *top = &self->levels[self->depth];
        if (state == STEP && top->is_map && self->event.type != LIBYAML_MAPPING_END) {
            if (self->event.type != LIBYAML_SCALAR)
                return UNUSUAL;
            state = take_key(self);
            if (state == STEP)
                state = next_event(self);
        }
        if (state != STEP)
            return state;
        switch (self->event.type) {
        case LIBYAML_SCALAR:
            state = take_scalar(self);
            break;
        case LIBYAML_MAPPING_START:
        case LIBYAML_SEQUENCE_START:
            state = open_container(self);
            break;
        case LIBYAML_MAPPING_END:
        case LIBYAML_SEQUENCE_END:
            state = close_container(self);
            break;
        case LIBYAML_ALIAS:
            return UNUSUAL;
        case LIBYAML_DOCUMENT_START:
            if (PyList_GET_SIZE(self->levels[0].box) > 0)
                return UNUSUAL;
            break;
        case LIBYAML_STREAM_END:
            return STEP;
        default:
            break;
        }
        if (state != STEP)
            return state;
    }
}

/* --- what Python sees --- */

static int want_positions(reader *self, PyObject *span)
{
    static const char *names[4] = {"line", "column", "end_line", "end_column"};
    if (span == Py_None)
        return 0;
    if (!PyType_Check(span)) {
        PyErr_SetString(PyExc_TypeError, "span must be a class or None");
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        self->span_fields[i] = PyObject_GetAttrString(span, names[i]);
        if (self->span_fields[i] == NULL)
            return -1;
        if (Py_TYPE(self->span_fields[i]) != &PyMemberDescr_Type) {
            PyErr_SetString(PyExc_TypeError, "the fields of span must be slots");
            return -1;
        }
    }
    self->span = (PyTypeObject *)span;
    self->values = PyDict_New();
    self->keys = PyDict_New();
    return self->values == NULL || self->keys == NULL ? -1 : 0;
}

static PyObject *answer(reader *self)
{
    PyObject *documents = self->levels[0].box;
    PyObject *data = PyList_GET_SIZE(documents) > 0 ? PyList_GET_ITEM(documents, 0) : Py_None;
    if (self->span != NULL)
        return PyTuple_Pack(3, data, self->values, self->keys);
    PyObject *braces = self->braces == NULL ? PyTuple_New(0) : PyList_AsTuple(self->braces);
    return braces == NULL ? NULL : Py_BuildValue("(ON)", data, braces);
}

static PyObject *read_bytes(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *raw, *starts;
    Py_ssize_t length, start_count, deepest;
    PyObject *connected, *known, *span, *result = NULL;
    if (!PyArg_ParseTuple(args, "Oy#ny#OO:read", &connected, &raw, &length, &deepest, &starts, &start_count, &known,
                          &span))
        return NULL;
    const functions *libyaml = PyCapsule_GetPointer(connected, FUNCTIONS);
    if (libyaml == NULL)
        return NULL;
    if (deepest < 0 || deepest > MOST_LEVELS)
        return PyErr_Format(PyExc_ValueError, "the deepest level is from 0 to %d", MOST_LEVELS);
    reader *self = PyMem_Calloc(1, sizeof *self);
    level *levels = PyMem_Calloc((size_t)deepest + 1, sizeof *levels);
    if (self == NULL || levels == NULL || !libyaml->begin(&self->parser)) {
        PyMem_Free(self);
        PyMem_Free(levels);
        return PyErr_NoMemory();
    }
    self->libyaml = libyaml;
    self->levels = levels;
    self->deepest = deepest;
    self->known = known;
    self->last_end.line = NOWHERE;
    self->has_meaning[0] = 1; /* no text at all */
    for (Py_ssize_t i = 0; i < start_count; i++)
        self->has_meaning[starts[i] & 127] = 1;
    libyaml->set_input(&self->parser, (const unsigned char *)raw, (size_t)length);

    levels[0].box = PyList_New(0);
    int state = levels[0].box == NULL || want_positions(self, span) < 0 ? FAILED : STEP;
    if (state == STEP && self->span == NULL && has_brace(raw, (size_t)length) && (self->braces = PyList_New(0)) == NULL)
        state = FAILED;
    if (state == STEP)
        state = read_all(self);
    if (state == STEP)
        result = answer(self);
    else if (state == UNUSUAL)
        result = Py_NewRef(Py_None);

    for (Py_ssize_t i = 0; i <= self->depth; i++)
        clear_level(&levels[i]);
    for (int i = 0; i < 4; i++)
        Py_XDECREF(self->span_fields[i]);
    Py_XDECREF(levels[0].box);
    Py_XDECREF(self->braces);
    Py_XDECREF(self->values);
    Py_XDECREF(self->keys);
    libyaml->forget(&self->event);
    libyaml->end(&self->parser);
    PyMem_Free(levels);
    PyMem_Free(self);
    return result;
}

static void forget_functions(PyObject *connected)
{
    PyMem_Free(PyCapsule_GetPointer(connected, FUNCTIONS));
}

/* Fills a place for a function's address; 0 with an exception where there is none. */
static int find(void *library, const char *name, void *place)
{
    void *address = dlsym(library, name);
    if (address == NULL)
        PyErr_Format(PyExc_ImportError, "PyYAML's extension does not offer %s", name);
    /* POSIX has a function's address fit where an object's does */
    memcpy(place, &address, sizeof address);
    return address != NULL;
}

static PyObject *connect_to(PyObject *Py_UNUSED(module), PyObject *path)
{
    int major = -1, minor = -1, patch = -1;
    functions found;
    PyObject *name;
    if (!PyUnicode_FSConverter(path, &name))
        return NULL;
    /* never closed: PyYAML's own import finds it loaded, or the other way round */
    void *library = dlopen(PyBytes_AS_STRING(name), RTLD_LAZY | RTLD_LOCAL);
    Py_DECREF(name);
    if (library == NULL)
        return PyErr_Format(PyExc_ImportError, "PyYAML's extension cannot be loaded: %s", dlerror());
    if (!find(library, "yaml_get_version", &found.version) ||
        !find(library, "yaml_parser_initialize", &found.begin) ||
        !find(library, "yaml_parser_set_input_string", &found.set_input) ||
        !find(library, "yaml_parser_parse", &found.parse) || !find(library, "yaml_event_delete", &found.forget) ||
        !find(library, "yaml_parser_delete", &found.end))
        return NULL;
    found.version(&major, &minor, &patch);
    if (major != LIBYAML_MAJOR || minor != LIBYAML_MINOR)
        return PyErr_Format(PyExc_ImportError, "PyYAML uses libyaml %d.%d.%d, of which nothing is known here", major,
                            minor, patch);
    functions *kept = PyMem_Malloc(sizeof *kept);
    if (kept == NULL)
        return PyErr_NoMemory();
    *kept = found;
    PyObject *connected = PyCapsule_New(kept, FUNCTIONS, forget_functions);
    if (connected == NULL) {
        PyMem_Free(kept);
        return NULL;
    }
    PyObject *version = PyUnicode_FromFormat("%d.%d.%d", major, minor, patch);
    PyObject *pair = version == NULL ? NULL : PyTuple_Pack(2, connected, version);
    Py_XDECREF(version);
    Py_DECREF(connected);
    return pair;
}

static PyMethodDef methods[] = {
    {"connect", connect_to, METH_O, "Find libyaml's functions in PyYAML's extension."},
    {"read", read_bytes, METH_VARARGS, "Read one usual document, or return None."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "f0ci.source._libyaml",
    .m_doc = "libyaml's events straight into data; see f0ci/source/native_yaml.py.",
    .m_methods = methods,
};

PyMODINIT_FUNC PyInit__libyaml(void)
{
    return PyModuleDef_Init(&definition);
}
