/* Why one graph for sentences and words: LexRank and TextRank are the same walk over different graphs. The edges are a plain list;
 * one iteration is one pass over it, so the cost is edges times iterations, and memory is 12 bytes per edge. */
#include "samples/summarize/graph.h"

#include <math.h>
#include <stdlib.h>

void graph_init(struct graph *graph, uint32_t node_count)
{
    *graph = (struct graph){ .node_count = node_count };
}

void graph_free(struct graph *graph)
{
    free(graph->edges);
    *graph = (struct graph){ 0 };
}

bool graph_join(struct graph *graph, uint32_t a, uint32_t b, float weight)
{
    if (graph->edge_count == graph->edge_room) {
        uint32_t room = graph->edge_room == 0 ? 1024 : graph->edge_room * 2;
        struct edge *edges = realloc(graph->edges, room * sizeof *edges);
        if (edges == NULL) return false;
        graph->edges = edges;
        graph->edge_room = room;
    }
    graph->edges[graph->edge_count++] = (struct edge){ a, b, weight };
    return true;
}

/* One step of the walk. `out` holds 1 / (sum of the node's weights), 0 for a node without edges. */
static void walk(const struct graph *graph, const double *out, const double *rank, double *next)
{
    uint32_t n = graph->node_count;
    double stranded = 0; /* the rank of nodes without edges: from there the walk jumps always */
    for (uint32_t i = 0; i < n; i++)
        stranded += out[i] == 0 ? rank[i] : 0;
    double jump = (GRAPH_JUMP + (1 - GRAPH_JUMP) * stranded) / n;
    for (uint32_t i = 0; i < n; i++)
        next[i] = jump;
    for (uint32_t i = 0; i < graph->edge_count; i++) {
        const struct edge *e = &graph->edges[i];
        double weight = (1 - GRAPH_JUMP) * (double)e->weight;
        next[e->a] += weight * rank[e->b] * out[e->b];
        next[e->b] += weight * rank[e->a] * out[e->a];
    }
}

unsigned graph_rank(const struct graph *graph, double *rank)
{
    uint32_t n = graph->node_count;
    double *room = calloc(n == 0 ? 1 : n, 2 * sizeof *room);
    if (room == NULL) return 0;
    double *out = room, *next = room + n;
    for (uint32_t i = 0; i < graph->edge_count; i++) {
        out[graph->edges[i].a] += (double)graph->edges[i].weight;
        out[graph->edges[i].b] += (double)graph->edges[i].weight;
    }
    for (uint32_t i = 0; i < n; i++) {
        out[i] = out[i] > 0 ? 1 / out[i] : 0;
        rank[i] = 1.0 / n;
    }
    unsigned iterations = 0;
    double moved;
    do {
        walk(graph, out, rank, next);
        moved = 0;
        for (uint32_t i = 0; i < n; i++) {
            moved += fabs(next[i] - rank[i]);
            rank[i] = next[i];
        }
        iterations++;
    } while (moved > GRAPH_EPSILON && iterations < GRAPH_ITERATIONS_MAX);
    free(room);
    return iterations;
}
