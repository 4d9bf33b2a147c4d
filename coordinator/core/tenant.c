/* Tenants: names to small numbers. Tenants are never removed while the core lives. */
#include "coordinator/core/tenant.h"
#include "coordinator/core/state.h"
#include "coordinator/core/token.h"

uint32_t tenant_find(const struct core *c, struct span name)
{
    for (uint32_t i = 1; i <= c->tenant_count; i++)
        if (span_equal(tenant_name(c, i), name)) return i;
    return 0;
}

static bool name_is_valid(struct span name)
{
    if (name.size == 0 || name.size > NAME_MAX) return false;
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] <= ' ' || name.data[i] == 0x7f) return false;
    return true;
}

uint32_t tenant_add(struct core *c, struct span name)
{
    if (!name_is_valid(name) || c->tenant_count == c->config.limits.tenants_max) return 0;
    struct tenant *tenant = &c->tenants[++c->tenant_count];
    memcpy(tenant->name, name.data, name.size);
    tenant->name_size = (uint32_t)name.size;
    token_tenant_init(tenant);
    return c->tenant_count;
}

uint32_t tenant_get(struct core *c, struct span name)
{
    uint32_t tenant = tenant_find(c, name);
    return tenant ? tenant : tenant_add(c, name);
}
