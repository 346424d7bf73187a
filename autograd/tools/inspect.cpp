// Nodes as plain data, and text from these. The sweep itself decides where gradients flow; gradient_reaches() below repeats
// its walk.
#include "autograd/tools/inspect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <vector>

namespace autograd {
namespace {

constexpr std::size_t shown = 3;  // of a long list, at either end

/// The elements from `from` on of the axes `axis`, axis + 1, ... of an array, in brackets; returns where they end.
template <class T>
const T* append_values(std::string& text, const T* from, const Shape& shape, std::size_t axis, bool shorten) {
    if (axis == shape.size()) {
        text += fmt::format("{:.6g}", *from);
        return from + 1;
    }
    std::size_t below = 1;
    for (std::size_t i = axis + 1; i < shape.size(); ++i) below *= shape[i];
    text += '[';
    for (std::size_t i = 0; i < shape[axis]; ++i) {
        if (i > 0) text += ", ";
        if (shorten && i == shown && shape[axis] > 2 * shown) {
            text += "..., ";
            from += (shape[axis] - 2 * shown) * below;
            i = shape[axis] - shown;
        }
        from = append_values(text, from, shape, axis + 1, shorten);
    }
    text += ']';
    return from;
}

/// "multiply(%1, 0.5)", or what kind of leaf it is.
template <class T>
std::string expression(const Tape<T>& tape, std::uint32_t index) {
    const Node<T>& node = tape.node(index);
    switch (node.kind) {
        case NodeKind::variable: return "variable";
        case NodeKind::constant: return "constant";
        case NodeKind::parameter: {
            const std::string name = tape.parameter_name(tape.borrowed(node).state->identity);
            return name == "parameter" ? name : fmt::format("parameter {}", name);
        }
        case NodeKind::noise: {
            const auto& origin = *static_cast<const NoiseOrigin*>(node.state);
            return fmt::format("leaf: {} noise, stream \"{}\", draw {}", origin.distribution, std::string_view(origin.stream),
                               origin.draw);
        }
        case NodeKind::operation: break;
    }
    std::string text = std::string(node.op->name) + '(';
    const auto inputs = tape.inputs(node);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        if (k > 0) text += ", ";
        if (k == shown && inputs.size() > 4 * shown) {  // more than an elementwise op has
            text += "..., ";
            k = inputs.size() - shown;
        }
        text += inputs[k].is_immediate() ? fmt::format("{}", inputs[k].immediate) : fmt::format("%{}", inputs[k].node);
    }
    return text + ')';
}

template <class T>
std::size_t bytes_kept(const Node<T>& node) {
    return node.borrowed != nullptr || node.released ? 0 : node.value.size() * sizeof(T);
}

/// The module of an op, by the parameters that it uses, or of a parameter, by its name.
template <class T>
std::string module_of(const Tape<T>& tape, std::uint32_t index) {
    const Node<T>& node = tape.node(index);
    const Input<T> self{index, T(0)};
    return node.kind == NodeKind::parameter ? tape.module_of({&self, 1}) : tape.module_of(tape.inputs(node));
}

template <class T>
double norm(const Array<T>& array) {
    long double total = 0;  // wide, because the square of a double may be none
    for (const long double value : array) total += value * value;
    return static_cast<double>(std::sqrt(total));
}

/// The nodes to which the sweep from `loss` brings a gradient.
template <class T>
std::vector<bool> gradient_reaches(const Tape<T>& tape, std::uint32_t loss) {
    std::vector<bool> reached(tape.size(), false);
    reached[loss] = tape.node(loss).needs_gradient;
    for (std::uint32_t i = loss + 1; i-- > 0;) {
        const Node<T>& node = tape.node(i);
        if (!reached[i] || node.op == nullptr) continue;
        const auto inputs = tape.inputs(node);
        for (std::size_t k = 0; k < inputs.size(); ++k) {
            if (tape.flows(*node.op, inputs[k], k)) reached[inputs[k].node] = true;
        }
    }
    return reached;
}

/// What a node is without a loss.
template <class T>
GraphNode<T> described(const Tape<T>& tape, std::uint32_t index) {
    const Node<T>& node = tape.node(index);
    GraphNode<T> result{.index = index,
                        .kind = node.kind,
                        .op = {},
                        .expression = expression(tape, index),
                        .inputs = {},
                        .module = module_of(tape, index),
                        .needs_gradient = node.needs_gradient,
                        .value = node.released ? nullptr : &node.array()};
    if (node.op != nullptr) result.op = node.op->name;
    if (node.kind == NodeKind::noise) result.op = static_cast<const NoiseOrigin*>(node.state)->distribution;
    const auto inputs = tape.inputs(node);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        if (inputs[k].is_immediate()) continue;
        result.inputs.push_back({inputs[k].node, node.op == nullptr || !tape.passes(*node.op, inputs[k], k)});
    }
    return result;
}

/// `function` begins the message of an error.
template <class T>
std::vector<GraphNode<T>> graph_of(const Tape<T>& tape, const Var<T>& loss, const Gradients<T>* gradients,
                                   const char* function) {
    const auto mark = tape.visit();
    const std::vector<bool> live = gradient_reaches(tape, tape.index_of(loss, function));
    std::vector<GraphNode<T>> nodes;
    for (std::uint32_t i = 0; i < tape.size(); ++i) {
        nodes.push_back(described(tape, i));
        nodes.back().live = live[i];
        if (gradients != nullptr) nodes.back().gradient = gradients->find(loss.tape().var(i));
    }
    return nodes;
}

/// For a quoted string of Graphviz, in which a backslash begins an escape. Line breaks stay what they are.
std::string in_quotes(const std::string& text) {
    std::string result = "\"";
    for (const char each : text) {
        if (each == '"' || each == '\\') result += '\\';
        result += each;
    }
    return result + '"';
}

const char* dot_style(NodeKind kind, bool live) {
    switch (kind) {
        case NodeKind::noise: return "shape=octagon, style=filled, fillcolor=\"#fde2b3\", color=\"#c77700\"";
        case NodeKind::constant: return "shape=plaintext, fontcolor=\"#777777\"";
        case NodeKind::variable:
        case NodeKind::parameter:
            return live ? "shape=box, style=filled, fillcolor=\"#cfe8cf\""
                        : "shape=box, color=\"#aaaaaa\", fontcolor=\"#777777\"";
        case NodeKind::operation: break;
    }
    return live ? "shape=box, style=\"rounded,filled\", fillcolor=\"#dde8f7\""
                : "shape=box, style=rounded, color=\"#aaaaaa\", fontcolor=\"#777777\"";
}

template <class T>
std::string dot(const Tape<T>& tape, const Var<T>& loss, const Gradients<T>* gradients) {
    const std::vector<GraphNode<T>> nodes = graph_of(tape, loss, gradients, "to_dot");
    std::map<std::string, std::string> nodes_of_module;
    std::string edges;
    for (const GraphNode<T>& node : nodes) {
        std::string label = fmt::format("%{} = {}\n", node.index, node.expression);
        label += node.value == nullptr ? "released"
                                       : fmt::format("{}  |value| {:.3g}", to_string(node.value->shape()), norm(*node.value));
        if (node.gradient != nullptr) label += fmt::format("\n|gradient| {:.3g}", norm(*node.gradient));
        fmt::format_to(std::back_inserter(nodes_of_module[node.module]), "    n{} [label={}, {}{}];\n", node.index,
                       in_quotes(label), dot_style(node.kind, node.live), node.index == loss.index() ? ", penwidth=2.5" : "");
        for (const GraphEdge& edge : node.inputs) {
            const char* style = node.live && !edge.cut && nodes[edge.from].live ? ""
                                : edge.cut                                      ? " [color=\"#aaaaaa\", style=dashed]"
                                                                                : " [color=\"#aaaaaa\"]";
            fmt::format_to(std::back_inserter(edges), "    n{} -> n{}{};\n", edge.from, node.index, style);
        }
    }
    std::string text = "digraph tape {\n"
                       "    node [fontname=\"sans-serif\", fontsize=10, margin=\"0.1,0.05\"];\n"
                       "    edge [arrowsize=0.6];\n";
    for (const auto& [module, its_nodes] : nodes_of_module) {
        text += module.empty()
                    ? its_nodes
                    : fmt::format("    subgraph {} {{\n    label={}; fontname=\"sans-serif\"; color=\"#cccccc\";\n{}    }}\n",
                                  in_quotes(fmt::format("cluster {}", module)), in_quotes(module), its_nodes);
    }
    return fmt::format("{}{}}}\n", text, edges);
}

}  // namespace

template <class T>
std::vector<GraphNode<T>> graph(const Tape<T>& tape, const Var<T>& loss) {
    return graph_of<T>(tape, loss, nullptr, "graph");
}

template <class T>
std::vector<GraphNode<T>> graph(const Tape<T>& tape, const Var<T>& loss, const Gradients<T>& gradients) {
    return graph_of<T>(tape, loss, &gradients, "graph");
}

template <class T>
std::string print(const Tape<T>& tape) {
    const auto mark = tape.visit();
    struct Line {
        std::string node, shape, gradient, bytes, module;
    };
    std::vector<Line> lines;
    std::size_t total = 0, node_width = 0, shape_width = 0, bytes_width = 0;
    for (std::uint32_t i = 0; i < tape.size(); ++i) {
        const GraphNode<T> node = described(tape, i);
        const std::size_t bytes = bytes_kept(tape.node(i));
        total += bytes;
        lines.push_back({fmt::format("%{} = {}", i, node.expression),
                         node.value == nullptr ? "-" : to_string(node.value->shape()), node.needs_gradient ? "gradient" : "-",
                         node.value == nullptr              ? "released"
                         : tape.node(i).borrowed != nullptr ? "borrowed"
                                                            : fmt::format("{} bytes", bytes),
                         node.module});
        node_width = std::max(node_width, lines.back().node.size());
        shape_width = std::max(shape_width, lines.back().shape.size());
        bytes_width = std::max(bytes_width, lines.back().bytes.size());
    }
    std::string text = fmt::format("tape of {} nodes, {} bytes\n", tape.size(), total);
    for (const Line& line : lines) {
        text += fmt::format("{:<{}}  {:<{}}  {:<8}  {:>{}}{}{}\n", line.node, node_width, line.shape, shape_width,
                            line.gradient, line.bytes, bytes_width, line.module.empty() ? "" : "  ", line.module);
    }
    return text;
}

template <class T>
std::string to_dot(const Tape<T>& tape, const Var<T>& loss) {
    return dot<T>(tape, loss, nullptr);
}

template <class T>
std::string to_dot(const Tape<T>& tape, const Var<T>& loss, const Gradients<T>& gradients) {
    return dot<T>(tape, loss, &gradients);
}

template <class T>
std::string to_string(const Array<T>& array) {
    require_values(array, "to_string");
    std::string text;
    append_values(text, array.data(), array.shape(), 0, array.size() > 1000);
    return text;
}

std::string to_string(const std::vector<OpProfile>& profile) {
    double total = 0;
    for (const OpProfile& each : profile) total += each.forward_seconds + each.backward_seconds;
    std::string text =
        fmt::format("{:<34}{:>8}{:>9}{:>14}{:>15}{:>10}\n", "op", "time", "calls", "forward ms", "backward ms", "MB");
    for (const OpProfile& each : profile) {
        text += fmt::format("{:<34}{:>6.1f} %{:>9}{:>14.3f}{:>15.3f}{:>10.2f}\n", each.op,
                            100 * (each.forward_seconds + each.backward_seconds) / total, each.calls,
                            1e3 * each.forward_seconds, 1e3 * each.backward_seconds, static_cast<double>(each.bytes) / 1e6);
    }
    return text;
}

#define XTAPE_INSTANTIATE(T)                                                                                   \
    template XTAPE_API std::vector<GraphNode<T>> graph<T>(const Tape<T>&, const Var<T>&);                      \
    template XTAPE_API std::vector<GraphNode<T>> graph<T>(const Tape<T>&, const Var<T>&, const Gradients<T>&); \
    template XTAPE_API std::string to_string<T>(const Array<T>&);                                              \
    template XTAPE_API std::string print<T>(const Tape<T>&);                                                   \
    template XTAPE_API std::string to_dot<T>(const Tape<T>&, const Var<T>&);                                   \
    template XTAPE_API std::string to_dot<T>(const Tape<T>&, const Var<T>&, const Gradients<T>&);
XTAPE_INSTANTIATE(float)
XTAPE_INSTANTIATE(double)
#undef XTAPE_INSTANTIATE

}  // namespace autograd
