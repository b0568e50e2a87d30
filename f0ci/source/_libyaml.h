/* What is used of libyaml's public interface, laid out as <yaml.h> of the versions 0.2 does.
 *
 * The functions are looked up at run time in PyYAML's own extension, so that a file means what the libyaml says that
 * PyYAML uses, and building needs no header of another one. A test compares every offset with <yaml.h>.
 */
#ifndef F0CI_LIBYAML_H
#define F0CI_LIBYAML_H

#include <stddef.h>

enum { LIBYAML_MAJOR = 0, LIBYAML_MINOR = 2, LIBYAML_MEMORY_ERROR = 1, LIBYAML_FLOW_STYLE = 2 };

enum libyaml_type {
    LIBYAML_STREAM_END = 2,
    LIBYAML_DOCUMENT_START = 3,
    LIBYAML_ALIAS = 5,
    LIBYAML_SCALAR = 6,
    LIBYAML_SEQUENCE_START = 7,
    LIBYAML_SEQUENCE_END = 8,
    LIBYAML_MAPPING_START = 9,
    LIBYAML_MAPPING_END = 10,
};

/* counted from 0; columns in code points */
struct libyaml_mark {
    size_t index, line, column;
};

struct libyaml_event {
    int type;
    union {
        struct {
            const char *anchor, *tag, *value;
            size_t length;
            int is_plain, is_quoted, style;
        } scalar;
        /* of a sequence or a mapping */
        struct {
            const char *anchor, *tag;
            int is_implicit, style;
        } start;
    } data;
    struct libyaml_mark start, end;
};

/* only where its first field is, and that it fits, matters */
union libyaml_parser {
    int error;
    max_align_t room[256];
};

#endif
