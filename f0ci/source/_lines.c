/* YAML as nearly everybody writes it, line by line: a fifth of what libyaml takes for the same.
 *
 * Reads block mappings and lists, scalars of one line, `|` and `>` blocks, and `[...]` and `{...}` on one line. Whatever
 * else a line begins, whatever is not certain at once, is UNUSUAL: libyaml then reads the whole file, and says what is
 * wrong with it. So this is no other opinion on what YAML is; it only answers where libyaml would say the same, and
 * tests and fuzzing compare the two.
 *
 * Invariants:
 *   - `at` never passes `line_end`, which is the '\n' or the end of the text: no byte behind it is looked at;
 *   - all text is printable, with '\n' for the only break: so a column of spaces and dashes is a count of bytes; a tab
 *     may stand in the text of a `|` block alone;
 *   - where `is_waiting`, the container being filled waits for the value of its latest key, or of an item.
 */
#include "_reader.h"

/* libyaml's limit for a key on one line is 1024 characters */
enum { LONGEST_KEY = 500 };

typedef struct {
    reader *reader;
    const char *line, *at, *line_end, *next, *end; /* `next` is where the next line begins, NULL after the last */
    char *scratch; /* room for a text that is not written as it stands; as long as all there is to read */
    int is_waiting, has_tabs;
} lines;

static int is_at_blank(const lines *of, const char *at)
{
    return at == of->line_end || *at == ' ';
}

static void skip_spaces(lines *of)
{
    while (of->at < of->line_end && *of->at == ' ')
        of->at++;
}

/* Tells whether nothing but a comment follows, which has a space before it. */
static int is_rest_empty(lines *of)
{
    skip_spaces(of);
    return of->at == of->line_end || (*of->at == '#' && of->at > of->line && of->at[-1] == ' ');
}

static int begins_item(const lines *of)
{
    return *of->at == '-' && is_at_blank(of, of->at + 1);
}

static void end_line_at(lines *of, const char *line_end)
{
    of->line_end = line_end == NULL ? of->end : line_end;
    of->next = line_end == NULL ? NULL : line_end + 1;
}

/* Finds the next line that says something. */
static int next_line(lines *of)
{
    while (of->next != NULL) {
        of->at = of->line = of->next;
        end_line_at(of, memchr(of->line, '\n', (size_t)(of->end - of->line)));
        skip_spaces(of);
        if (of->at < of->line_end && *of->at != '#')
            return 1;
    }
    return 0;
}

/* --- scalars --- */

static int scan_single_quoted(lines *of, scalar *found)
{
    const char *from = of->at + 1, *at = from;
    char *to = of->scratch;
    while ((at = memchr(at, '\'', (size_t)(of->line_end - at))) != NULL && at + 1 < of->line_end && at[1] == '\'') {
        /* two stand for one */
        memcpy(to, from, (size_t)(++at - from));
        to += at - from;
        from = ++at;
    }
    if (at == NULL)
        return UNUSUAL;
    of->at = at + 1;
    if (to == of->scratch) {
        *found = (scalar){from, (size_t)(at - from), 0};
        return STEP;
    }
    memcpy(to, from, (size_t)(at - from));
    *found = (scalar){of->scratch, (size_t)(to + (at - from) - of->scratch), 0};
    return STEP;
}

/* What a letter after a backslash stands for; 0 for what is rare. */
static char escaped(char letter)
{
    switch (letter) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case '"':
    case '\\':
        return letter;
    default:
        return 0;
    }
}

static int scan_double_quoted(lines *of, scalar *found)
{
    const char *from = of->at + 1, *at = from;
    while (at < of->line_end && *at != '"' && *at != '\\')
        at++;
    if (at < of->line_end && *at == '"') {
        *found = (scalar){from, (size_t)(at - from), 0};
        of->at = at + 1;
        return STEP;
    }
    memcpy(of->scratch, from, (size_t)(at - from));
    char *to = of->scratch + (at - from);
    for (; at < of->line_end && *at != '"'; at++) {
        char one = *at;
        if (one == '\\' && (++at == of->line_end || (one = escaped(*at)) == 0))
            return UNUSUAL;
        *to++ = one;
    }
    if (at == of->line_end)
        return UNUSUAL;
    *found = (scalar){of->scratch, (size_t)(to - of->scratch), 0};
    of->at = at + 1;
    return STEP;
}

/* What may end a plain scalar, in a block and in `[...]`. */
static const char BLOCK_ENDS[256] = {[':'] = 1, ['#'] = 1};
static const char FLOW_ENDS[256] = {[':'] = 1, ['#'] = 1, ['?'] = 1, [','] = 1, ['['] = 1, [']'] = 1, ['{'] = 1, ['}'] = 1};

static int scan_plain(lines *of, scalar *found, int is_flow)
{
    const char *at = of->at, *end = of->line_end, *ends = is_flow ? FLOW_ENDS : BLOCK_ENDS;
    if (strchr("?:,[]{}#&*!|>'\"%@`", *at) != NULL || (*at == '-' && is_at_blank(of, at + 1)))
        return UNUSUAL;
    /* in `[...]`, signs next to commas and brackets differ between versions */
    if (is_flow && *at == '-' && !Py_ISALNUM(at[1]))
        return UNUSUAL;
    for (; at < end; at++) {
        if (!ends[(unsigned char)*at])
            continue;
        if (*at == '?' || (is_flow && *at == ':' && at + 1 < end && at[1] != '#' && ends[(unsigned char)at[1]]))
            return UNUSUAL;
        if (*at == ':' ? is_at_blank(of, at + 1) : *at != '#' || at[-1] == ' ')
            break;
    }
    const char *last = at;
    while (last[-1] == ' ')
        last--;
    *found = (scalar){of->at, (size_t)(last - of->at), 1};
    of->at = at;
    return STEP;
}

static int scan(lines *of, scalar *found, int is_flow)
{
    if (*of->at == '"')
        return scan_double_quoted(of, found);
    if (*of->at == '\'')
        return scan_single_quoted(of, found);
    return scan_plain(of, found, is_flow);
}

static int put(lines *of, scalar found)
{
    of->is_waiting = 0;
    return f0ci_put_scalar(of->reader, found);
}

static int put_nothing(lines *of)
{
    return put(of, (scalar){"", 0, 1});
}

/* --- a value after a key or an item's dash --- */

/* Reads `[...]` or `{...}` up to its end on the same line. */
static int take_flow(lines *of)
{
    reader *self = of->reader;
    Py_ssize_t before = self->depth;
    of->is_waiting = 0;
    for (;;) {
        int state = STEP;
        level *top = &self->levels[self->depth];
        scalar found;
        skip_spaces(of);
        if (of->at == of->line_end)
            return UNUSUAL;
        if (self->depth > before && *of->at == (top->is_map ? '}' : ']')) {
            of->at++;
            f0ci_clear_level(&self->levels[self->depth--]);
        } else {
            if (self->depth > before && top->is_map) {
                const char *begin = of->at;
                if ((state = scan(of, &found, 1)) != STEP || (state = f0ci_take_key(self, found)) != STEP)
                    return state;
                if (of->at - begin > LONGEST_KEY || of->at == of->line_end || *of->at != ':' ||
                    !is_at_blank(of, of->at + 1))
                    return UNUSUAL;
                of->at++;
                skip_spaces(of);
                if (of->at == of->line_end)
                    return UNUSUAL;
            }
            if (*of->at == '[' || *of->at == '{') {
                if ((state = f0ci_open(self, *of->at == '{')) != STEP)
                    return state;
                of->at++;
                continue;
            }
            if ((state = scan(of, &found, 1)) != STEP || (state = f0ci_put_scalar(self, found)) != STEP)
                return state;
        }
        if (self->depth == before)
            return is_rest_empty(of) ? STEP : UNUSUAL;
        skip_spaces(of);
        if (of->at == of->line_end)
            return UNUSUAL;
        if (*of->at == ',')
            of->at++;
        else if (*of->at != (self->levels[self->depth].is_map ? '}' : ']'))
            return UNUSUAL;
    }
}

static size_t count_spaces(const char *from, const char *end, size_t most)
{
    size_t count = 0;
    while (count < most && from + count < end && from[count] == ' ')
        count++;
    return count;
}

static char *put_breaks(char *to, size_t count)
{
    memset(to, '\n', count);
    return to + count;
}

/* Reads a `|` or `>` block whose first line has text; moves to its last line. */
static int take_block(lines *of)
{
    int is_folded = *of->at++ == '>', chomping = 0;
    if (of->at < of->line_end && (*of->at == '-' || *of->at == '+'))
        chomping = *of->at++;
    if (of->at < of->line_end || of->next == NULL || of->end[-1] != '\n' || (is_folded && of->has_tabs))
        return UNUSUAL;
    const char *from = of->next;
    size_t indent = count_spaces(from, of->end, (size_t)(of->end - from)), blank_lines = 0;
    if (from + indent == of->end || from[indent] == '\n' || from[indent] == '\t' ||
        (Py_ssize_t)indent <= of->reader->levels[of->reader->depth].indent)
        return UNUSUAL;
    char *to = of->scratch;
    int is_first = 1, is_indented = 0;
    while (from < of->end) {
        const char *line_end = memchr(from, '\n', (size_t)(of->end - from));
        size_t spaces = count_spaces(from, line_end, indent);
        if (from + spaces == line_end) {
            blank_lines++;
        } else if (spaces < indent) {
            if (from[spaces] == '\t')
                return UNUSUAL;
            break;
        } else {
            const char *text = from + indent;
            int was_indented = is_indented;
            is_indented = *text == ' ';
            /* a `>` block joins lines, but for those that are indented further */
            if (is_folded && !is_first && !was_indented && !is_indented) {
                if (blank_lines == 0)
                    *to++ = ' ';
            } else if (!is_first) {
                *to++ = '\n';
            }
            to = put_breaks(to, blank_lines);
            memcpy(to, text, (size_t)(line_end - text));
            to += line_end - text;
            is_first = 0;
            blank_lines = 0;
        }
        end_line_at(of, line_end);
        from = of->next;
    }
    if (chomping != '-')
        *to++ = '\n';
    if (chomping == '+')
        to = put_breaks(to, blank_lines);
    return put(of, (scalar){of->scratch, (size_t)(to - of->scratch), 0});
}

/* --- lines --- */

static int open_block(lines *of, int is_map, Py_ssize_t column)
{
    int is_beside = !is_map && of->reader->levels[of->reader->depth].indent == column;
    int state = f0ci_open(of->reader, is_map);
    if (state != STEP)
        return state;
    level *top = &of->reader->levels[of->reader->depth];
    top->indent = column;
    top->is_beside = is_beside;
    of->is_waiting = 0;
    return STEP;
}

/* Closes what ends before a line that begins in some column. */
static int close_blocks(lines *of, Py_ssize_t column)
{
    reader *self = of->reader;
    for (;;) {
        level *top = &self->levels[self->depth];
        if (of->is_waiting) {
            if (column > top->indent || (column == top->indent && top->is_map && begins_item(of)))
                return STEP;
            int state = put_nothing(of);
            if (state != STEP)
                return state;
        }
        if (column > top->indent)
            return UNUSUAL;
        if (column == top->indent && !(top->is_beside && !begins_item(of)))
            return STEP;
        f0ci_clear_level(&self->levels[self->depth--]);
    }
}

/* Reads a scalar, and tells whether it is a key. */
static int scan_key(lines *of, scalar *found, int *is_key)
{
    const char *begin = of->at;
    int state = scan(of, found, 0);
    *is_key = state == STEP && of->at < of->line_end && *of->at == ':' && is_at_blank(of, of->at + 1);
    return *is_key && of->at - begin > LONGEST_KEY ? UNUSUAL : state;
}

/* Reads what follows a key on its line: all but a block of keys or items. */
static int take_value(lines *of)
{
    scalar found;
    int is_key;
    if (*of->at == '[' || *of->at == '{')
        return take_flow(of);
    if (*of->at == '|' || *of->at == '>')
        return take_block(of);
    int state = scan_key(of, &found, &is_key);
    if (state != STEP)
        return state;
    return !is_key && is_rest_empty(of) ? put(of, found) : UNUSUAL;
}

/* Reads a line from its first character. */
static int take_line(lines *of)
{
    reader *self = of->reader;
    if (of->has_tabs && memchr(of->line, '\t', (size_t)(of->line_end - of->line)) != NULL)
        return UNUSUAL;
    int state = close_blocks(of, of->at - of->line);
    /* dashes, each of which begins an item */
    while (state == STEP && begins_item(of)) {
        if (of->is_waiting)
            state = open_block(of, 0, of->at - of->line);
        else if (self->levels[self->depth].is_map)
            return UNUSUAL;
        of->at++;
        of->is_waiting = 1;
        if (is_rest_empty(of))
            return state;
    }
    if (state != STEP)
        return state;
    if (strchr("[{|>", *of->at) != NULL)
        return of->is_waiting && self->depth > 0 ? take_value(of) : UNUSUAL;
    const char *begin = of->at;
    scalar found;
    int is_key;
    if ((state = scan_key(of, &found, &is_key)) != STEP)
        return state;
    if (!is_key)
        return of->is_waiting && self->depth > 0 && is_rest_empty(of) ? put(of, found) : UNUSUAL;
    if (of->is_waiting)
        state = open_block(of, 1, begin - of->line);
    else if (!self->levels[self->depth].is_map)
        return UNUSUAL;
    if (state != STEP || (state = f0ci_take_key(self, found)) != STEP)
        return state;
    of->at++;
    of->is_waiting = 1;
    return is_rest_empty(of) ? STEP : take_value(of);
}

/* --- the whole text --- */

/* Tells whether libyaml takes every character as a part of a text, and '\n' alone as a break. */
static int is_printable(lines *of, const char *text)
{
    const unsigned char *raw = (const unsigned char *)text;
    size_t length = (size_t)(of->end - text);
    int is_odd = 0, has_tabs = 0, is_ascii = 1;
    for (size_t i = 0; i < length; i++) {
        is_odd |= (raw[i] < ' ' && raw[i] != '\n' && raw[i] != '\t') || raw[i] == 127;
        has_tabs |= raw[i] == '\t';
        is_ascii &= raw[i] < 128;
    }
    of->has_tabs = has_tabs;
    if (is_odd || is_ascii)
        return is_odd ? UNUSUAL : STEP;
    /* U+0080 to U+009F, U+2028 and its neighbours, U+F000 and above have breaks, marks and what cannot be printed */
    for (size_t i = 0; i + 1 < length; i++)
        if (raw[i] == 0xEF || (raw[i] == 0xC2 && raw[i + 1] < 0xA0) ||
            (raw[i] == 0xE2 && raw[i + 1] == 0x80 && i + 2 < length && (raw[i + 2] & 0xFE) == 0xA8))
            return UNUSUAL;
    /* comments too must be UTF-8 */
    PyObject *decoded = PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, NULL);
    if (decoded == NULL)
        return f0ci_step_aside();
    Py_DECREF(decoded);
    return STEP;
}

/* Copies a text with "\r\n" for a break to one with '\n', and returns its length. */
static size_t copy_with_plain_breaks(char *to, const char *raw, size_t length)
{
    const char *from = raw, *end = raw + length, *at = raw;
    char *begin = to;
    while ((at = memchr(at, '\r', (size_t)(end - at))) != NULL) {
        int is_break = at + 1 < end && at[1] == '\n';
        /* one that stands alone is kept, and is not printable */
        memcpy(to, from, (size_t)(at - from) + (is_break ? 0 : 1));
        to += (at - from) + (is_break ? 0 : 1);
        from = ++at;
    }
    memcpy(to, from, (size_t)(end - from));
    return (size_t)(to - begin) + (size_t)(end - from);
}

static int read_lines(lines *of, const char *raw)
{
    reader *self = of->reader;
    int state = is_printable(of, raw), is_first = 1;
    self->levels[0].indent = -1;
    of->next = raw;
    of->is_waiting = 1;
    while (state == STEP && next_line(of)) {
        Py_ssize_t rest = of->line_end - of->at;
        int is_marker = of->at == of->line && rest >= 3 && (memcmp(of->at, "---", 3) == 0 || memcmp(of->at, "...", 3) == 0);
        if (!is_marker)
            state = take_line(of);
        else if (!is_first || rest > 3 || *of->at == '.')
            state = UNUSUAL;
        is_first = 0;
    }
    /* of nothing at all, libyaml tells */
    if (state == STEP && self->depth == 0)
        state = UNUSUAL;
    return state == STEP && of->is_waiting ? put_nothing(of) : state;
}

int f0ci_read_lines(reader *self, const char *raw, size_t length)
{
    int has_returns = memchr(raw, '\r', length) != NULL;
    /* room for a copy, and for what is made of parts of it */
    char *room = PyMem_Malloc((has_returns ? 2 : 1) * (length + 1));
    if (room == NULL) {
        PyErr_NoMemory();
        return FAILED;
    }
    lines of = {.reader = self, .end = raw + length, .scratch = room};
    if (has_returns) {
        of.scratch = room + length + 1;
        of.end = room + copy_with_plain_breaks(room, raw, length);
        raw = room;
    }
    int state = read_lines(&of, raw);
    PyMem_Free(room);
    return state;
}
