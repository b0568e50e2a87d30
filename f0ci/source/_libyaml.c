/* YAML straight into dictionaries and lists, without an object for each event.
 *
 * Does what f0ci/source/plain_yaml.py does, and on request what f0ci/source/yaml.py does with positions. What is written
 * as nearly everybody writes it is read line by line (_lines.c), else libyaml's events are (here). Whatever is unusual
 * (an anchor, an alias, a tag, a merge key, a key twice, a scalar with two readings, an error) is left to Python:
 * `read` returns None then, so that every message has one author.
 *
 * Invariants:
 *   - no function calls itself: open containers stand in `levels`, whose number is bounded by the caller's limit;
 *   - levels[0] is the list that holds the document; levels[depth] is the container being filled;
 *   - a container is owned by the one above it, levels[0] by the caller; key and key_span are owned by their level;
 *   - a step returns STEP (go on), UNUSUAL (give up, no exception is set) or FAILED (an exception is set).
 */
#include <dlfcn.h>

#include "_reader.h"

enum { MOST_LEVELS = 10000 };
static const size_t NOWHERE = (size_t)-1;
static const char FUNCTIONS[] = "f0ci.source._libyaml.functions";

/* --- positions --- */

/* The number of a line; one object for as long as the line is told again and again. */
static PyObject *line_number(reader *self, size_t number)
{
    if (self->latest_line == NULL || self->latest_number != number) {
        Py_XSETREF(self->latest_line, PyLong_FromSize_t(number));
        self->latest_number = number;
    }
    return Py_XNewRef(self->latest_line);
}

static PyObject *make_span(reader *self, struct libyaml_mark start, struct libyaml_mark end)
{
    size_t numbers[4] = {start.line + 1, start.column + 1, end.line + 1, end.column + 1};
    PyObject *span = self->span->tp_alloc(self->span, 0);
    for (int i = 0; span != NULL && i < 4; i++) {
        PyObject *field = self->span_fields[i];
        PyObject *number = i % 2 == 0 ? line_number(self, numbers[i]) : PyLong_FromSize_t(numbers[i]);
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
    PyObject *path = f0ci_latest_path(self), *span = path == NULL ? NULL : make_span(self, start, end);
    int done = span == NULL ? -1 : PyDict_SetItem(self->values, path, span);
    if (done == 0 && top->is_map)
        done = PyDict_SetItem(self->keys, path, top->key_span);
    Py_XDECREF(path);
    Py_XDECREF(span);
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

/* The present scalar; UNUSUAL where it has an anchor or a tag. */
static int present(reader *self, scalar *found)
{
    if (self->event.data.scalar.anchor != NULL || self->event.data.scalar.tag != NULL)
        return UNUSUAL;
    *found = (scalar){self->event.data.scalar.value, self->event.data.scalar.length, self->event.data.scalar.is_plain};
    return STEP;
}

static int take_key(reader *self)
{
    scalar found;
    int state = present(self, &found);
    if (state == STEP)
        state = f0ci_take_key(self, found);
    if (state != STEP || self->span == NULL)
        return state;
    level *top = &self->levels[self->depth];
    self->last_end = self->event.end;
    Py_XSETREF(top->key_span, make_span(self, self->event.start, self->event.end));
    return top->key_span == NULL ? FAILED : STEP;
}

static int take_scalar(reader *self)
{
    scalar found;
    int state = present(self, &found);
    if (state == STEP)
        state = f0ci_put_scalar(self, found);
    if (state != STEP || self->span == NULL)
        return state;
    self->last_end = self->event.end;
    return place(self, self->event.start, self->event.end);
}

static int open_container(reader *self)
{
    if (self->event.data.start.anchor != NULL || self->event.data.start.tag != NULL)
        return UNUSUAL;
    int state = f0ci_open(self, self->event.type == LIBYAML_MAPPING_START);
    if (state != STEP)
        return state;
    level *top = &self->levels[self->depth];
    top->start = self->event.start;
    top->is_flow = self->event.data.start.style == LIBYAML_FLOW_STYLE;
    return STEP;
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
    f0ci_clear_level(&closed);
    return state;
}

/* Reads all events; STEP where the document is whole. */
static int read_events(reader *self)
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

/* Forgets what was read. */
static void clear(reader *self)
{
    for (; self->depth > 0; self->depth--)
        f0ci_clear_level(&self->levels[self->depth]);
    Py_CLEAR(self->levels[0].box);
    Py_CLEAR(self->braces);
}

/* Has an empty list hold the document, and another one the texts with braces where there are any. */
static int begin(reader *self, int has_braces)
{
    if ((self->levels[0].box = PyList_New(0)) == NULL)
        return FAILED;
    return has_braces && (self->braces = PyList_New(0)) == NULL ? FAILED : STEP;
}

static int read_by_libyaml(reader *self, const char *raw, size_t length, int has_braces)
{
    int state = begin(self, has_braces);
    if (state != STEP)
        return state;
    if (!self->libyaml->begin(&self->parser)) {
        PyErr_NoMemory();
        return FAILED;
    }
    self->libyaml->set_input(&self->parser, (const unsigned char *)raw, length);
    state = read_events(self);
    self->libyaml->forget(&self->event);
    self->libyaml->end(&self->parser);
    return state;
}

static int read_all(reader *self, const char *raw, size_t length)
{
    if (self->span != NULL)
        return read_by_libyaml(self, raw, length, 0);
    int has_braces = f0ci_has_brace((scalar){raw, length, 0}), state = begin(self, has_braces);
    if (state == STEP)
        state = f0ci_read_lines(self, raw, length);
    if (state != UNUSUAL)
        return state;
    clear(self);
    return read_by_libyaml(self, raw, length, has_braces);
}

static PyObject *read_bytes(PyObject *Py_UNUSED(module), PyObject *args)
{
    const char *raw, *starts;
    Py_ssize_t length, start_count, deepest;
    PyObject *connected, *known, *span, *result = NULL;
    if (!PyArg_ParseTuple(args, "Oy#ny#OO:read", &connected, &raw, &length, &deepest, &starts, &start_count, &known,
                          &span))
        return NULL;
    functions *libyaml = PyCapsule_GetPointer(connected, FUNCTIONS);
    if (libyaml == NULL)
        return NULL;
    if (deepest < 0 || deepest > MOST_LEVELS)
        return PyErr_Format(PyExc_ValueError, "the deepest level is from 0 to %d", MOST_LEVELS);
    reader *self = PyMem_Calloc(1, sizeof *self);
    level *levels = PyMem_Calloc((size_t)deepest + 1, sizeof *levels);
    if (self == NULL || levels == NULL) {
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

    int state = want_positions(self, span) < 0 ? FAILED : read_all(self, raw, (size_t)length);
    if (state == STEP)
        result = answer(self);
    else if (state == UNUSUAL)
        result = Py_NewRef(Py_None);

    clear(self);
    for (int i = 0; i < 4; i++)
        Py_XDECREF(self->span_fields[i]);
    Py_XDECREF(self->values);
    Py_XDECREF(self->keys);
    Py_XDECREF(self->latest_line);
    PyMem_Free(levels);
    PyMem_Free(self);
    return result;
}

static void forget_functions(PyObject *connected)
{
    functions *kept = PyCapsule_GetPointer(connected, FUNCTIONS);
    for (int i = 0; i < KEYS_KEPT; i++)
        Py_XDECREF(kept->keys[i]);
    PyMem_Free(kept);
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
    functions found = {0};
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
