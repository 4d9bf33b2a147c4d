/* A weighted undirected graph and the rank of its nodes: the stationary distribution of a walk that follows an edge with
 * probability 1 - GRAPH_JUMP, in proportion to its weight, and else jumps to any node (PageRank; in Erkan and Radev's notation
 * d = GRAPH_JUMP). Found by power iteration. Not safe to share between threads without a lock. */
#ifndef WEIR_SAMPLES_SUMMARIZE_GRAPH_H
#define WEIR_SAMPLES_SUMMARIZE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#define GRAPH_JUMP    0.15
#define GRAPH_EPSILON 1e-6 /* the iteration ends when all ranks together move less */

enum { GRAPH_ITERATIONS_MAX = 100 };

struct edge {
    uint32_t a, b; /* a != b */
    float weight;  /* > 0 */
};

struct graph {
    struct edge *edges;
    uint32_t edge_count, edge_room;
    uint32_t node_count;
};

/* An empty graph of `node_count` nodes; takes no memory before the first edge. */
void graph_init(struct graph *graph, uint32_t node_count);
void graph_free(struct graph *graph);

/* Adds an edge; two edges between the same nodes add up. False: no memory, the graph is unchanged. */
bool graph_join(struct graph *graph, uint32_t a, uint32_t b, float weight);

/* Writes the rank of each node (they sum to 1) and returns the iterations it took, or 0: no memory. A node without edges gets only
 * its share of the jumps. */
unsigned graph_rank(const struct graph *graph, double *rank);

#endif
