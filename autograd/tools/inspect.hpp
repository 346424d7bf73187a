// Looking at values and at a tape: to_string() of an array or a profile, graph() of a tape, as plain data, and what stands on
// it: print(), a line for each node, and to_dot(), its picture. For people; it changes nothing and nothing is computed from
// it. Why a gradient is missing is told by why_no_gradient, in core/explain.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/core/gradients.hpp"

namespace XTAPE_API autograd {

/// The values of an array to six digits, as "[[1, 2], [3, 4]]"; of more than a thousand, the middle of long axes is left out.
template <class T>
[[nodiscard]] std::string to_string(const Array<T>& array);

/// What an op was called with: an arrow of the graph.
struct GraphEdge {
    std::uint32_t from;  ///< the number of the input's node
    bool cut;            ///< whether derivatives end here: the op passes none on to this input, whatever is asked for
};

/// A node of a tape, to be shown. The arrays are the tape's and the gradients' own: they are there as long as these have them.
template <class T>
struct GraphNode {
    std::uint32_t index;                 ///< its number on the tape
    NodeKind kind;                       ///< an op's result, or which leaf
    std::string op;                      ///< the op's name; of noise, what drew it; of another leaf empty
    std::string expression;              ///< as print() has it: "multiply(%2, 0.5)", "parameter encoder.hidden.weight"
    std::vector<GraphEdge> inputs;       ///< in order, without the scalars that stand in the expression
    std::string module;                  ///< whose parameters it uses: "encoder.hidden"; may be empty
    bool needs_gradient = false;         ///< whether it depends on a variable or a parameter
    bool live = false;                   ///< whether the gradient of the loss flows through it
    const Array<T>* value;               ///< null if a sweep released it
    const Array<T>* gradient = nullptr;  ///< null if there is none, or none was kept
};

/// All nodes of the tape, in the order in which they were recorded: nodes[i].index is i. From an edge's `from` to its node a
/// gradient of `loss` flows back if both are live and the edge is not cut.
/// @throws TapeError if `loss` is not of this tape.
template <class T>
[[nodiscard]] std::vector<GraphNode<T>> graph(const Tape<T>& tape, const Var<T>& loss);

/// These with their gradients. Those of intermediate nodes are there after backward(loss, {.keep = true}).
/// @throws TapeError if `loss` is not of this tape, or `gradients` are not of it and its generation.
template <class T>
[[nodiscard]] std::vector<GraphNode<T>> graph(const Tape<T>& tape, const Var<T>& loss, const Gradients<T>& gradients);

/// The tape as text, a line for each node: number, op and inputs, shape, whether a gradient flows through it, the bytes of
/// its value, and the module whose parameters it uses:
///
///     %4 = linear(%0, %2, %3)  (128, 400)  gradient  204800 bytes  encoder.hidden
template <class T>
[[nodiscard]] std::string print(const Tape<T>& tape);

/// The tape as a graph for Graphviz (`dot -Tsvg`): every node with its shape and the Euclidean norm of its value, grouped by
/// module. Nodes and edges through which the gradient of `loss` flows are black and filled; the others, which do not lead to
/// the loss or carry no gradient, are grey. Leaves have shapes of their own: variables and parameters are boxes,
/// constants plain text, noise an octagon.
/// @throws TapeError if `loss` is not of this tape.
template <class T>
[[nodiscard]] std::string to_dot(const Tape<T>& tape, const Var<T>& loss);

/// That graph with the norms of the gradients as well. Those of intermediate nodes are there after
/// backward(loss, {.keep = true}).
/// @throws TapeError if `gradients` are not of this tape and generation.
template <class T>
[[nodiscard]] std::string to_dot(const Tape<T>& tape, const Var<T>& loss, const Gradients<T>& gradients);

/// A profile as a table: each op's share of the time, forward and backward, its calls and the bytes of its values.
[[nodiscard]] std::string to_string(const std::vector<OpProfile>& profile);

}  // namespace autograd
