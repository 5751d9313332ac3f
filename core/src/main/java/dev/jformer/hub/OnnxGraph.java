package dev.jformer.hub;

import dev.jformer.io.FormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The graph of an ONNX file: operations and stored tensors. */
final class OnnxGraph {
  /**
   * An operation.
   *
   * @param operation its type, such as {@code MatMul}
   * @param domain the operator set that defines it; empty for ONNX itself
   */
  record Node(
      String name,
      String operation,
      String domain,
      List<String> inputs,
      List<String> outputs,
      Map<String, Attribute> attributes) {
    boolean is(String type) {
      return operation.equals(type);
    }

    long integer(String attribute, long fallback) {
      Attribute found = attributes.get(attribute);
      return found == null ? fallback : found.integer();
    }

    double number(String attribute, double fallback) {
      Attribute found = attributes.get(attribute);
      return found == null ? fallback : found.number();
    }

    @Override
    public String toString() {
      return "the node "
          + FormatException.quote(name.isEmpty() ? String.join(",", outputs) : name)
          + " ("
          + FormatException.oneLine(operation)
          + ")";
    }
  }

  /** An attribute of a node; one of the three values is set. */
  record Attribute(long integer, double number, OnnxTensor tensor) {}

  /** The fewest inputs of the operations that are looked at. */
  private static final Map<String, Integer> FEWEST =
      Map.ofEntries(
          Map.entry("Add", 2),
          Map.entry("Cast", 1),
          Map.entry("Concat", 1),
          Map.entry("DequantizeLinear", 2),
          Map.entry("Div", 2),
          Map.entry("Dropout", 1),
          Map.entry("DynamicQuantizeLinear", 1),
          Map.entry("Flatten", 1),
          Map.entry("Gather", 2),
          Map.entry("Gemm", 2),
          Map.entry("Identity", 1),
          Map.entry("LayerNormalization", 2),
          Map.entry("MatMul", 2),
          Map.entry("MatMulInteger", 2),
          Map.entry("Mul", 2),
          Map.entry("Reshape", 2),
          Map.entry("Slice", 1),
          Map.entry("Softmax", 1),
          Map.entry("Sqrt", 1),
          Map.entry("Transpose", 1));

  private final Path file;
  private final Set<String> inputs;
  private final List<Node> nodes;
  private final Map<String, OnnxTensor> tensors;
  private final Map<String, Node> producers = new HashMap<>();
  private final Map<String, List<Node>> consumers = new HashMap<>();

  /**
   * Creates a graph.
   *
   * @param inputs names of its inputs
   * @param tensors by name
   * @throws FormatException if an operation lacks an input or its output
   */
  OnnxGraph(Path file, Set<String> inputs, List<Node> nodes, Map<String, OnnxTensor> tensors) {
    this.file = file;
    this.inputs = inputs;
    this.nodes = nodes;
    this.tensors = new HashMap<>(tensors);
    nodes.forEach(this::check);
    for (Node node : nodes) {
      node.outputs().forEach(output -> producers.put(output, node));
      Attribute value = node.attributes().get("value");
      if (node.is("Constant") && value != null && value.tensor() != null) {
        this.tensors.put(node.outputs().get(0), value.tensor());
      }
    }
    for (Node node : nodes) {
      for (String input : node.inputs()) {
        consumers.computeIfAbsent(input, name -> new ArrayList<>()).add(node);
      }
    }
  }

  private void check(Node node) {
    int fewest = FEWEST.getOrDefault(node.operation(), 0);
    boolean isKnown = fewest > 0 || node.is("Constant");
    if (node.inputs().size() < fewest || (isKnown && node.outputs().isEmpty())) {
      throw unknown(
          "%s has %d inputs and %d outputs: expected at least %d and 1"
              .formatted(node, node.inputs().size(), node.outputs().size(), fewest));
    }
  }

  Path file() {
    return file;
  }

  List<Node> nodes() {
    return nodes;
  }

  boolean isInput(String name) {
    return inputs.contains(name) && !tensors.containsKey(name);
  }

  /** Follows a value back through Identity nodes, by which exporters share equal tensors. */
  String source(String value) {
    String name = value;
    for (int i = 0; i < nodes.size(); i++) {
      Node node = producers.get(name);
      if (node == null || !node.is("Identity")) {
        break;
      }
      name = node.inputs().get(0);
    }
    return name;
  }

  /** The stored tensor of a value; null if it is computed. */
  OnnxTensor tensor(String value) {
    return tensors.get(source(value));
  }

  /** The names of all stored tensors, including constants. */
  Set<String> names() {
    return tensors.keySet();
  }

  /** The node that computes a value; null for inputs and stored tensors. */
  Node producer(String value) {
    return producers.get(source(value));
  }

  /** The nodes that take a value under this name, without Identity nodes. */
  List<Node> consumers(String value) {
    return consumers.getOrDefault(value, List.of()).stream()
        .filter(node -> !node.is("Identity"))
        .toList();
  }

  FormatException unknown(String message) {
    return new FormatException(file + ": is not a graph of BERT that can be read: " + message);
  }
}
