/* Snapshots: the durable state, written in slices between steps. */
#ifndef WEIR_CORE_SNAPSHOT_H
#define WEIR_CORE_SNAPSHOT_H

#include "coordinator/core/state.h"

enum { SNAPSHOT_BLOCKS = 8 };

struct table_tenants {
    uint32_t handles[RECORD_TABLE_TENANTS_MAX], count;
};
/* Its index, named when new; RECORD_TABLE_TENANTS_MAX: no room. */
uint32_t table_tenant(const struct core *c, struct table_tenants *tenants, uint32_t tenant, struct span names[RECORD_TABLE_TENANTS_MAX]);
bool snapshot_is_open(const struct core *c);
void snapshot_record(struct core *c, enum record_kind kind, struct span body); /* empty: it could not be written, so the snapshot fails */
void snapshot_touch_group(struct core *c, uint32_t group);
void snapshot_touch_publisher(struct core *c, uint32_t publisher);
void snapshot_begin_step(struct core *c);
void snapshot_step(struct core *c);

#endif
