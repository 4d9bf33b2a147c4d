/* The bodies of the records that hold a piece of a large table in a snapshot: tokens, held events, dead letters, some thousands in each. */
#include "proto/record_parts.h"

size_t record_table_bound(uint32_t entries)
{
    size_t tenant = FIELD_TAG_BYTES_MAX + FIELD_LENGTH_BYTES_MAX + 255,
           entry = VARINT32_BYTES_MAX + RECORD_TOKEN_BYTES + 3 * FIELD_VARINT_BYTES_MAX;
    return RECORD_TABLE_TENANTS_MAX * tenant + 5 * COLUMN_HEAD + entries * entry;
}

static void put_tenants(struct writer *w, const struct span *tenants, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        put_span(w, 1, tenants[i]);
}

/* Bytes of one size, without a length each. */
static void put_hashes(struct writer *w, uint32_t number, const struct record_token *tokens, uint32_t count)
{
    size_t size = (size_t)count * RECORD_TOKEN_BYTES;
    if (count == 0 || !has_room(w, COLUMN_HEAD + size)) return;
    w->at = field_put_varint(field_put_tag(w->at, number, WIRE_BYTES), size);
    for (uint32_t i = 0; i < count; i++, w->at += RECORD_TOKEN_BYTES)
        memcpy(w->at, tokens[i].hash, RECORD_TOKEN_BYTES);
}

size_t record_tokens_write(const struct record_tokens *table, uint8_t *out, size_t out_size)
{
    struct writer w = writer_over(out, out_size);
    const struct record_token *tokens = table->tokens;
    put_tenants(&w, table->tenants, table->tenant_count);
    if (table->count == 0) return written(&w, out);
    put_column(&w, 2, (struct column){ &tokens->tenant, sizeof *tokens, table->count, COLUMN_U32 });
    put_hashes(&w, 3, tokens, table->count);
    put_column(&w, 4, (struct column){ &tokens->position, sizeof *tokens, table->count, COLUMN_GAPS });
    put_column(&w, 5, (struct column){ &tokens->time_ms, sizeof *tokens, table->count, COLUMN_GAPS });
    return written(&w, out);
}

size_t record_delays_write(const struct record_delays *table, uint8_t *out, size_t out_size)
{
    struct writer w = writer_over(out, out_size);
    const struct record_delay *delays = table->delays;
    put_tenants(&w, table->tenants, table->tenant_count);
    if (table->count == 0) return written(&w, out);
    put_column(&w, 2, (struct column){ &delays->tenant, sizeof *delays, table->count, COLUMN_U32 });
    put_column(&w, 3, (struct column){ &delays->first, sizeof *delays, table->count, COLUMN_U64 });
    put_column(&w, 4, (struct column){ &delays->position, sizeof *delays, table->count, COLUMN_U64 });
    put_column(&w, 5, (struct column){ &delays->due_ms, sizeof *delays, table->count, COLUMN_U64 });
    put_rare_column(&w, 6, (struct column){ &delays->parts_from, sizeof *delays, table->count, COLUMN_U64 });
    return written(&w, out);
}

enum { DEAD_COLUMN_FIRST = 2, DEAD_COLUMN_LAST = 8, DEAD_COLUMN_RARE, DEAD_COLUMN_END };
static const struct {
    uint16_t offset;
    uint16_t kind;
} dead_columns[DEAD_COLUMN_END] = {
    [2] = { offsetof(struct record_dead, event), COLUMN_U64 },   [3] = { offsetof(struct record_dead, place), COLUMN_U64 },
    [4] = { offsetof(struct record_dead, time_ms), COLUMN_U64 }, [5] = { offsetof(struct record_dead, attempts), COLUMN_U32 },
    [6] = { offsetof(struct record_dead, reason), COLUMN_U32 },  [7] = { offsetof(struct record_dead, level), COLUMN_U32 },
    [8] = { offsetof(struct record_dead, state), COLUMN_U32 },   [9] = { offsetof(struct record_dead, parts_from), COLUMN_U64 },
};

static struct column dead_column(const struct record_dead_letters *dead, uint32_t number)
{
    return (struct column){ (const uint8_t *)dead->letters + dead_columns[number].offset, sizeof *dead->letters, dead->count,
                            (enum column_kind)dead_columns[number].kind };
}

size_t record_dead_letters_bound(uint32_t count)
{
    return 1 + VARINT32_BYTES_MAX + 8 * COLUMN_HEAD + (size_t)count * (4 * FIELD_VARINT_BYTES_MAX + 4 * VARINT32_BYTES_MAX);
}

size_t record_dead_letters_write(const struct record_dead_letters *dead, uint8_t *out, size_t out_size)
{
    struct writer w = writer_over(out, out_size);
    put_number(&w, 1, dead->group);
    for (uint32_t i = DEAD_COLUMN_FIRST; i <= DEAD_COLUMN_LAST && dead->count > 0; i++)
        put_column(&w, i, dead_column(dead, i));
    if (dead->count > 0) put_rare_column(&w, DEAD_COLUMN_RARE, dead_column(dead, DEAD_COLUMN_RARE));
    return written(&w, out);
}

static bool read_tenant(struct span tenants[RECORD_TABLE_TENANTS_MAX], uint32_t *count, const struct field *field)
{
    return *count < RECORD_TABLE_TENANTS_MAX && read_span(&tenants[(*count)++], field);
}

static bool read_hashes(struct filling *column, struct record_token *tokens, const struct field *field)
{
    if (field->wire != WIRE_BYTES || field->bytes.size % RECORD_TOKEN_BYTES != 0) return false;
    size_t count = field->bytes.size / RECORD_TOKEN_BYTES;
    if (count > column->room - column->count) return false;
    for (size_t i = 0; i < count; i++)
        memcpy(tokens[column->count++].hash, field->bytes.data + i * RECORD_TOKEN_BYTES, RECORD_TOKEN_BYTES);
    return true;
}

bool record_tokens_read(struct span body, struct record_token *tokens, uint32_t tokens_max, struct record_tokens *out)
{
    const uint8_t *at = body.data, *end = field_end(body);
    struct field field = { 0 };
    struct filling tenant = { .first = &tokens->tenant, .stride = sizeof *tokens, .room = tokens_max }, hash = { .room = tokens_max };
    struct filling position = { .first = &tokens->position, .stride = sizeof *tokens, .room = tokens_max, .kind = COLUMN_GAPS };
    struct filling time = { .first = &tokens->time_ms, .stride = sizeof *tokens, .room = tokens_max, .kind = COLUMN_GAPS };
    *out = (struct record_tokens){ .tokens = tokens };
    while (at < end) {
        bool good = true;
        at = field_read(at, end, &field);
        if (at == NULL) return false;
        if (field.number == 1) good = read_tenant(out->tenants, &out->tenant_count, &field);
        if (field.number == 2) good = read_column(&tenant, &field);
        if (field.number == 3) good = read_hashes(&hash, tokens, &field);
        if (field.number == 4) good = read_column(&position, &field);
        if (field.number == 5) good = read_column(&time, &field);
        if (!good) return false;
    }
    out->count = tenant.count;
    for (uint32_t i = 0; i < out->count; i++)
        if (tokens[i].tenant >= out->tenant_count) return false;
    return hash.count == out->count && position.count == out->count && time.count == out->count;
}

bool record_delays_read(struct span body, struct record_delay *delays, uint32_t delays_max, struct record_delays *out)
{
    const uint8_t *at = body.data, *end = field_end(body);
    struct field field = { 0 };
    struct filling tenant = { .first = &delays->tenant, .stride = sizeof *delays, .room = delays_max };
    struct filling first = { .first = &delays->first, .stride = sizeof *delays, .room = delays_max, .kind = COLUMN_U64 };
    struct filling position = { .first = &delays->position, .stride = sizeof *delays, .room = delays_max, .kind = COLUMN_U64 };
    struct filling due = { .first = &delays->due_ms, .stride = sizeof *delays, .room = delays_max, .kind = COLUMN_U64 };
    struct filling parts = { .first = &delays->parts_from, .stride = sizeof *delays, .room = delays_max, .kind = COLUMN_U64 };
    *out = (struct record_delays){ .delays = delays };
    while (at < end) {
        bool good = true;
        at = field_read(at, end, &field);
        if (at == NULL) return false;
        if (field.number == 1) good = read_tenant(out->tenants, &out->tenant_count, &field);
        if (field.number == 2) good = read_column(&tenant, &field);
        if (field.number == 3) good = read_column(&first, &field);
        if (field.number == 4) good = read_column(&position, &field);
        if (field.number == 5) good = read_column(&due, &field);
        if (field.number == 6) good = read_column(&parts, &field);
        if (!good) return false;
    }
    out->count = tenant.count;
    for (uint32_t i = 0; i < out->count; i++)
        if (delays[i].tenant >= out->tenant_count) return false;
    return first.count == out->count && position.count == out->count && due.count == out->count && fill_rare(&parts, out->count);
}

bool record_dead_letters_read(struct span body, struct record_dead *letters, uint32_t letters_max, struct record_dead_letters *out)
{
    const uint8_t *at = body.data, *end = field_end(body);
    struct field field = { 0 };
    struct filling columns[DEAD_COLUMN_END] = { 0 };
    for (uint32_t i = DEAD_COLUMN_FIRST; i < DEAD_COLUMN_END && letters_max > 0; i++)
        columns[i] = (struct filling){ .first = (uint8_t *)letters + dead_columns[i].offset,
                                       .stride = sizeof *letters,
                                       .room = letters_max,
                                       .kind = (enum column_kind)dead_columns[i].kind };
    *out = (struct record_dead_letters){ .letters = letters };
    while (at < end) {
        bool good = true;
        at = field_read(at, end, &field);
        if (at == NULL) return false;
        if (field.number == 1) good = read_u32(&out->group, &field);
        if (field.number >= DEAD_COLUMN_FIRST && field.number < DEAD_COLUMN_END) good = read_column(&columns[field.number], &field);
        if (!good) return false;
    }
    out->count = columns[DEAD_COLUMN_FIRST].count;
    for (uint32_t i = DEAD_COLUMN_FIRST; i <= DEAD_COLUMN_LAST; i++)
        if (columns[i].count != out->count) return false;
    return fill_rare(&columns[DEAD_COLUMN_RARE], out->count);
}
