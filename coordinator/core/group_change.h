/* Changes of a group: made, set, paused, sought, deleted; each is a record. */
#ifndef WEIR_CORE_GROUP_CHANGE_H
#define WEIR_CORE_GROUP_CHANGE_H

#include "coordinator/core/group.h"

void group_record(const struct core *c, const struct group *g, struct record_group *out); /* all of it, as it stands */
uint64_t group_create(struct core *c, uint32_t tenant, const struct group_spec *spec);    /* block number of its record; 0: no room */
void group_configure(struct core *c, uint32_t tenant, const struct group_spec *spec);     /* makes it when it is new and there is room */
/* Each: OK and *out_place, or the refusal and *out_message; nothing is changed then. */
enum error_code group_set(struct core *c, uint32_t group, const struct msg_manage *m, uint64_t *out_place, const char **out_message);
enum error_code group_pause(struct core *c, uint32_t group, bool pause, uint64_t *out_place);
enum error_code group_seek(struct core *c, uint32_t group, const struct group_spec *spec, uint64_t *out_place);
enum error_code group_delete(struct core *c, uint32_t group, uint64_t *out_place, const char **out_message);

#endif
