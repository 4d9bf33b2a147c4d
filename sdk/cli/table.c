/* Columns for people. All cells are kept until the end, since only then is known how wide a column is. */
#include "sdk/cli/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct cli_table {
    size_t columns;
    size_t count, room;
    char **cells; /* the heads are the first row */
};

static void add_cell(struct cli_table *table, char *text)
{
    if (table->count == table->room) {
        table->room = table->room ? table->room * 2 : 64;
        table->cells = realloc(table->cells, table->room * sizeof *table->cells);
        if (!table->cells) abort();
    }
    table->cells[table->count++] = text;
}

struct cli_table *cli_table_new(const char *const *heads, size_t columns)
{
    struct cli_table *table = calloc(1, sizeof *table);
    if (!table) abort();
    table->columns = columns;
    for (size_t i = 0; i < columns; i++)
        add_cell(table, strdup(heads[i]));
    return table;
}

void cli_table_cell(struct cli_table *table, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) abort();
    va_end(arguments);
    add_cell(table, text);
}

/* UTF-8 characters, which is near enough to columns of a terminal */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void cli_table_print(struct cli_table *table, const struct cli *cli)
{
    size_t *widths = calloc(table->columns, sizeof *widths);
    bool *numbers = calloc(table->columns, sizeof *numbers);
    if (!widths || !numbers) abort();
    for (size_t i = 0; i < table->columns; i++) {
        size_t size = strlen(table->cells[i]);
        numbers[i] = size > 0 && table->cells[i][size - 1] == ':';
        if (numbers[i]) table->cells[i][size - 1] = '\0';
    }
    for (size_t i = 0; i < table->count; i++)
        if (width_of(table->cells[i]) > widths[i % table->columns]) widths[i % table->columns] = width_of(table->cells[i]);
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;
        bool last = column + 1 == table->columns;
        int pad = (int)(widths[column] - width_of(table->cells[i]));
        if (column == 0 && i == 0 && cli->colour) fputs("\033[1m", stdout);
        if (numbers[column]) printf("%*s", pad, "");
        fputs(table->cells[i], stdout);
        if (!numbers[column] && !last) printf("%*s", pad, "");
        if (last && i + 1 == table->columns && cli->colour) fputs("\033[0m", stdout);
        fputs(last ? "\n" : "  ", stdout);
    }
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    free(widths);
    free(numbers);
    free(table);
}
