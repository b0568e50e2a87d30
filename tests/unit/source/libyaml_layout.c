/* Compiles where what f0ci/source/_libyaml.h says of libyaml is what libyaml says of itself. */
#include <yaml.h>
#include "_libyaml.h"
#define SAME(ours, theirs, what) \
    _Static_assert(offsetof(struct libyaml_event, ours) == offsetof(yaml_event_t, theirs), what)
SAME(type, type, "type");
SAME(start, start_mark, "start");
SAME(end, end_mark, "end");
SAME(data.scalar.anchor, data.scalar.anchor, "anchor of a scalar");
SAME(data.scalar.tag, data.scalar.tag, "tag of a scalar");
SAME(data.scalar.value, data.scalar.value, "value");
SAME(data.scalar.length, data.scalar.length, "length");
SAME(data.scalar.is_plain, data.scalar.plain_implicit, "plain");
SAME(data.start.anchor, data.sequence_start.anchor, "anchor of a sequence");
SAME(data.start.tag, data.sequence_start.tag, "tag of a sequence");
SAME(data.start.style, data.sequence_start.style, "style of a sequence");
SAME(data.start.anchor, data.mapping_start.anchor, "anchor of a mapping");
SAME(data.start.tag, data.mapping_start.tag, "tag of a mapping");
SAME(data.start.style, data.mapping_start.style, "style of a mapping");
_Static_assert(sizeof(struct libyaml_event) == sizeof(yaml_event_t), "size of an event");
_Static_assert(offsetof(struct libyaml_mark, line) == offsetof(yaml_mark_t, line), "line");
_Static_assert(offsetof(struct libyaml_mark, column) == offsetof(yaml_mark_t, column), "column");
_Static_assert(sizeof(struct libyaml_mark) == sizeof(yaml_mark_t), "size of a mark");
_Static_assert(offsetof(yaml_parser_t, error) == 0, "error");
_Static_assert(sizeof(union libyaml_parser) >= 2 * sizeof(yaml_parser_t), "room for a parser");
_Static_assert(LIBYAML_MEMORY_ERROR == (int)YAML_MEMORY_ERROR, "memory error");
_Static_assert(LIBYAML_STREAM_END == (int)YAML_STREAM_END_EVENT, "end of the stream");
_Static_assert(LIBYAML_DOCUMENT_START == (int)YAML_DOCUMENT_START_EVENT, "start of a document");
_Static_assert(LIBYAML_ALIAS == (int)YAML_ALIAS_EVENT, "alias");
_Static_assert(LIBYAML_SCALAR == (int)YAML_SCALAR_EVENT, "scalar");
_Static_assert(LIBYAML_SEQUENCE_START == (int)YAML_SEQUENCE_START_EVENT, "start of a sequence");
_Static_assert(LIBYAML_SEQUENCE_END == (int)YAML_SEQUENCE_END_EVENT, "end of a sequence");
_Static_assert(LIBYAML_MAPPING_START == (int)YAML_MAPPING_START_EVENT, "start of a mapping");
_Static_assert(LIBYAML_MAPPING_END == (int)YAML_MAPPING_END_EVENT, "end of a mapping");
_Static_assert(LIBYAML_FLOW_STYLE == (int)YAML_FLOW_SEQUENCE_STYLE, "flow style of a sequence");
_Static_assert(LIBYAML_FLOW_STYLE == (int)YAML_FLOW_MAPPING_STYLE, "flow style of a mapping");
