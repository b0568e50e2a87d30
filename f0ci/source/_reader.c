/* The containers being filled, and what scalars mean; see _libyaml.c. */
#include "_reader.h"

enum {
    LONGEST_WORD = 5, /* "false"; longer ones mean their text */
    MOST_DIGITS = 15, /* such a number fits into 64 bits */
    LONGEST_KEPT_KEY = 40,
    MOST_INTERNED = 10000, /* some versions of Python never forget one */
};

int f0ci_step_aside(void)
{
    if (!PyErr_ExceptionMatches(PyExc_ValueError))
        return FAILED;
    PyErr_Clear();
    return UNUSUAL;
}

PyObject *f0ci_latest_path(reader *self)
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

/* --- scalars --- */

static int may_mean_more(reader *self, scalar found)
{
    unsigned char first = found.length ? (unsigned char)found.text[0] : 0;
    if (!found.is_plain || first >= 128 || !self->has_meaning[first])
        return 0;
    /* what begins with a letter is ASCII where it is a word, so that bytes may be counted */
    return !Py_ISALPHA(first) || found.length <= LONGEST_WORD;
}

/* A whole number as nearly everybody writes it, which needs no text; NULL without an exception where it is none. */
static PyObject *usual_number(scalar found)
{
    long long number = 0;
    if (found.length > MOST_DIGITS || found.text[0] == '0')
        return NULL;
    for (size_t i = 0; i < found.length; i++) {
        if (!Py_ISDIGIT(found.text[i]))
            return NULL;
        number = number * 10 + (found.text[i] - '0');
    }
    return PyLong_FromLongLong(number);
}

/* What a scalar means; NULL with an exception where that takes the exact reader. */
static PyObject *meaning(reader *self, scalar found)
{
    int is_more = may_mean_more(self, found);
    if (is_more && found.length > 0) {
        PyObject *number = usual_number(found);
        if (number != NULL || PyErr_Occurred())
            return number;
    }
    PyObject *text = PyUnicode_DecodeUTF8(found.text, (Py_ssize_t)found.length, NULL);
    if (text == NULL || !is_more)
        return text;
    PyObject *value = PyObject_GetItem(self->known, text);
    Py_DECREF(text);
    return value;
}

int f0ci_has_brace(scalar found)
{
    const char *end = found.text + found.length;
    for (const char *at = found.text; (at = memchr(at, '{', (size_t)(end - at))) != NULL; at++)
        if ((at > found.text && at[-1] == '#') || (at + 1 < end && at[1] == '{'))
            return 1;
    return 0;
}

static int note_brace(reader *self, PyObject *text)
{
    PyObject *path = f0ci_latest_path(self), *pair = path == NULL ? NULL : PyTuple_Pack(2, path, text);
    int done = pair == NULL ? -1 : PyList_Append(self->braces, pair);
    Py_XDECREF(path);
    Py_XDECREF(pair);
    return done < 0 ? FAILED : STEP;
}

/* --- keys --- */

/* The text of a key: one and the same object wherever the same key stands, which makes it quick to find. */
static PyObject *key_text(reader *self, scalar found)
{
    if (found.length > LONGEST_KEPT_KEY)
        return PyUnicode_DecodeUTF8(found.text, (Py_ssize_t)found.length, NULL);
    size_t hash = found.length;
    for (size_t i = 0; i < found.length; i++)
        hash = hash * 31 + (unsigned char)found.text[i];
    PyObject **kept = &self->libyaml->keys[hash % KEYS_KEPT];
    /* only ASCII is kept, a byte for each character */
    if (*kept != NULL && (size_t)PyUnicode_GET_LENGTH(*kept) == found.length &&
        memcmp(PyUnicode_1BYTE_DATA(*kept), found.text, found.length) == 0)
        return Py_NewRef(*kept);
    PyObject *text = PyUnicode_DecodeUTF8(found.text, (Py_ssize_t)found.length, NULL);
    if (text == NULL || !PyUnicode_IS_ASCII(text))
        return text;
    if (self->libyaml->interned < MOST_INTERNED) {
        PyObject *own = text;
        PyUnicode_InternInPlace(&text);
        self->libyaml->interned += text == own;
    }
    Py_XSETREF(*kept, Py_NewRef(text));
    return text;
}

int f0ci_take_key(reader *self, scalar found)
{
    PyObject *key = key_text(self, found);
    if (key == NULL)
        return f0ci_step_aside();
    Py_XSETREF(self->levels[self->depth].key, key);
    if (!may_mean_more(self, found))
        return STEP;
    /* a key keeps its text; the meaning is asked for because '<<' and ambiguous ones are not usual */
    PyObject *value = PyObject_GetItem(self->known, key);
    if (value == NULL)
        return f0ci_step_aside();
    Py_DECREF(value);
    return STEP;
}

/* --- containers --- */

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

int f0ci_put_scalar(reader *self, scalar found)
{
    PyObject *value = meaning(self, found);
    if (value == NULL)
        return f0ci_step_aside();
    int state = put(self, value);
    /* no word and no number has a brace: the value is the text */
    if (state == STEP && self->braces != NULL && f0ci_has_brace(found))
        state = note_brace(self, value);
    Py_DECREF(value);
    return state;
}

int f0ci_open(reader *self, int is_map)
{
    if (self->depth >= self->deepest)
        return UNUSUAL;
    PyObject *box = is_map ? PyDict_New() : PyList_New(0);
    int state = box == NULL ? FAILED : put(self, box);
    if (state == STEP)
        self->levels[++self->depth] = (level){.box = box, .is_map = is_map};
    /* from here on it is the container above that owns it */
    Py_XDECREF(box);
    return state;
}

void f0ci_clear_level(level *of)
{
    Py_CLEAR(of->key);
    Py_CLEAR(of->key_span);
}
