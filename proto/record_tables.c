/* The bodies of the records that hold a piece of a large table in a snapshot: tokens, held events, dead letters, some thousands in each. A
 * table is an array of structs, written column by column behind field 1, which says whose it is: a group, or tenants named once each. */
#include "proto/record_parts.h"

enum { COLUMN_HASH = COLUMN_GAPS + 1 /* RECORD_TOKEN_BYTES each, without a length */, TABLE_COLUMNS_MAX = 8 };

struct table_column {
    uint8_t number; /* of its field; 0: the end of the table's columns */
    uint8_t kind;   /* enum column_kind, or COLUMN_HASH */
    uint8_t offset;
    bool rare; /* left out when all of it is 0 */
};

/* Where there are tenants the first column is the index of the entry's. */
static const struct table_column token_columns[TABLE_COLUMNS_MAX + 1] = {
    { 2, COLUMN_U32, offsetof(struct record_token, tenant), false },
    { 3, COLUMN_HASH, offsetof(struct record_token, hash), false },
    { 4, COLUMN_GAPS, offsetof(struct record_token, position), false },
    { 5, COLUMN_GAPS, offsetof(struct record_token, time_ms), false },
};
static const struct table_column delay_columns[TABLE_COLUMNS_MAX + 1] = {
    { 2, COLUMN_U32, offsetof(struct record_delay, tenant), false },    { 3, COLUMN_U64, offsetof(struct record_delay, first), false },
    { 4, COLUMN_U64, offsetof(struct record_delay, position), false },  { 5, COLUMN_U64, offsetof(struct record_delay, due_ms), false },
    { 6, COLUMN_U64, offsetof(struct record_delay, parts_from), true },
};
static const struct table_column dead_columns[TABLE_COLUMNS_MAX + 1] = {
    { 2, COLUMN_U64, offsetof(struct record_dead, event), false },   { 3, COLUMN_U64, offsetof(struct record_dead, place), false },
    { 4, COLUMN_U64, offsetof(struct record_dead, time_ms), false }, { 5, COLUMN_U32, offsetof(struct record_dead, attempts), false },
    { 6, COLUMN_U32, offsetof(struct record_dead, reason), false },  { 7, COLUMN_U32, offsetof(struct record_dead, level), false },
    { 8, COLUMN_U32, offsetof(struct record_dead, state), false },   { 9, COLUMN_U64, offsetof(struct record_dead, parts_from), true },
};

size_t record_table_bound(uint32_t entries)
{
    size_t tenant = FIELD_TAG_BYTES_MAX + FIELD_LENGTH_BYTES_MAX + 255,
           entry = VARINT32_BYTES_MAX + RECORD_TOKEN_BYTES + 3 * FIELD_VARINT_BYTES_MAX;
    return RECORD_TABLE_TENANTS_MAX * tenant + 5 * COLUMN_HEAD + entries * entry;
}

size_t record_dead_letters_bound(uint32_t count)
{
    return 1 + VARINT32_BYTES_MAX + 8 * COLUMN_HEAD + (size_t)count * (4 * FIELD_VARINT_BYTES_MAX + 4 * VARINT32_BYTES_MAX);
}

static void put_tenants(struct writer *w, const struct span *tenants, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        put_span(w, 1, tenants[i]);
}

static void put_hashes(struct writer *w, uint32_t number, struct column column)
{
    size_t size = (size_t)column.count * RECORD_TOKEN_BYTES;
    if (!has_room(w, COLUMN_HEAD + size)) return;
    w->at = field_put_varint(field_put_tag(w->at, number, WIRE_BYTES), size);
    for (uint32_t i = 0; i < column.count; i++, w->at += RECORD_TOKEN_BYTES)
        memcpy(w->at, (const uint8_t *)column.first + (size_t)i * column.stride, RECORD_TOKEN_BYTES);
}

static void put_table(struct writer *w, const struct table_column *its, const void *items, uint32_t stride, uint32_t count)
{
    for (; its->number != 0 && count > 0; its++) {
        struct column column = { (const uint8_t *)items + its->offset, stride, count, (enum column_kind)its->kind };
        if (its->kind == COLUMN_HASH)
            put_hashes(w, its->number, column);
        else if (its->rare)
            put_rare_column(w, its->number, column);
        else
            put_column(w, its->number, column);
    }
}

size_t record_tokens_write(const struct record_tokens *table, uint8_t *out, size_t out_size)
{
    struct writer w = writer_over(out, out_size);
    put_tenants(&w, table->tenants, table->tenant_count);
    put_table(&w, token_columns, table->tokens, sizeof *table->tokens, table->count);
    return written(&w, out);
}

size_t record_delays_write(const struct record_delays *table, uint8_t *out, size_t out_size)
{
    struct writer w = writer_over(out, out_size);
    put_tenants(&w, table->tenants, table->tenant_count);
    put_table(&w, delay_columns, table->delays, sizeof *table->delays, table->count);
    return written(&w, out);
}

size_t record_dead_letters_write(const struct record_dead_letters *dead, uint8_t *out, size_t out_size)
{
    struct writer w = writer_over(out, out_size);
    put_number(&w, 1, dead->group);
    put_table(&w, dead_columns, dead->letters, sizeof *dead->letters, dead->count);
    return written(&w, out);
}

static bool read_hashes(struct filling *column, const struct field *field)
{
    if (field->wire != WIRE_BYTES || field->bytes.size % RECORD_TOKEN_BYTES != 0) return false;
    size_t count = field->bytes.size / RECORD_TOKEN_BYTES;
    if (count > column->room - column->count) return false;
    for (size_t i = 0; i < count; i++)
        memcpy((uint8_t *)column->first + (size_t)column->count++ * column->stride, field->bytes.data + i * RECORD_TOKEN_BYTES,
               RECORD_TOKEN_BYTES);
    return true;
}

/* Where field 1 goes: a group, or tenants. */
struct table_head {
    uint32_t *group;
    struct span *tenants;
    uint32_t *tenant_count;
};

static bool read_head(const struct table_head *head, const struct field *field)
{
    if (head->group != NULL) return read_u32(head->group, field);
    return *head->tenant_count < RECORD_TABLE_TENANTS_MAX && read_span(&head->tenants[(*head->tenant_count)++], field);
}

static bool read_table_field(const struct table_column *its, struct filling *column, const struct field *field)
{
    for (; its->number != 0; its++, column++)
        if (its->number == field->number) return its->kind == COLUMN_HASH ? read_hashes(column, field) : read_column(column, field);
    return true;
}

static bool read_table(struct span body, struct table_head head, const struct table_column *its, void *items, uint32_t stride,
                       uint32_t room, uint32_t *out_count)
{
    const uint8_t *at = body.data, *end = field_end(body);
    struct field field = { 0 };
    struct filling columns[TABLE_COLUMNS_MAX] = { 0 };
    for (uint32_t i = 0; its[i].number != 0 && room > 0; i++)
        columns[i] = (struct filling){ (uint8_t *)items + its[i].offset, stride, room, 0, (enum column_kind)its[i].kind };
    while (at < end) {
        at = field_read(at, end, &field);
        if (at == NULL) return false;
        if (field.number == 1 ? !read_head(&head, &field) : !read_table_field(its, columns, &field)) return false;
    }
    uint32_t count = *out_count = columns[0].count;
    for (uint32_t i = 0; its[i].number != 0; i++)
        if (its[i].rare ? !fill_rare(&columns[i], count) : columns[i].count != count) return false;
    struct column tenants = { columns[0].first, stride, count, COLUMN_U32 };
    for (uint32_t i = 0; head.tenants != NULL && i < count; i++)
        if (column_value(tenants, i) >= *head.tenant_count) return false;
    return true;
}

bool record_tokens_read(struct span body, struct record_token *tokens, uint32_t tokens_max, struct record_tokens *out)
{
    *out = (struct record_tokens){ .tokens = tokens };
    struct table_head head = { .tenants = out->tenants, .tenant_count = &out->tenant_count };
    return read_table(body, head, token_columns, tokens, sizeof *tokens, tokens_max, &out->count);
}

bool record_delays_read(struct span body, struct record_delay *delays, uint32_t delays_max, struct record_delays *out)
{
    *out = (struct record_delays){ .delays = delays };
    struct table_head head = { .tenants = out->tenants, .tenant_count = &out->tenant_count };
    return read_table(body, head, delay_columns, delays, sizeof *delays, delays_max, &out->count);
}

bool record_dead_letters_read(struct span body, struct record_dead *letters, uint32_t letters_max, struct record_dead_letters *out)
{
    *out = (struct record_dead_letters){ .letters = letters };
    struct table_head head = { .group = &out->group };
    return read_table(body, head, dead_columns, letters, sizeof *letters, letters_max, &out->count);
}
