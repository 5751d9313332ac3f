package dev.jformer.hub;

import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.io.FormatException;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.nn.Activation;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.IntegerBlocks;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Recognises a BERT in the graph of an ONNX file. Exporters keep the names of embeddings, norms and
 * biases, but transpose and rename matrices. So a linear layer is found by its bias: its matrix is
 * the factor of the product that the bias is added to, and its orientation follows from the
 * operation. The rest is read from the operations: the size of a head from the reshape of queries,
 * the activation, the norms' epsilon. A graph that is wired differently from BERT, or has weights
 * that BERT does not have, is refused.
 *
 * <p>Graphs whose matrices were quantized dynamically to 8 bits, as onnxruntime does, are read too:
 * the integers are kept, and activations, which the graph rounds, stay floats.
 */
final class OnnxBert implements StoredWeights {
  private static final Set<String> DYNAMIC =
      Set.of("DynamicQuantizeLinear", "MatMulInteger", "DequantizeLinear");

  private static final Set<String> PASSING = Set.of("Cast", "Reshape", "Flatten", "Dropout");

  private static final String WORDS = "embeddings.word_embeddings.weight";

  /** What onnxruntime adds to the name of a tensor that it has quantized. */
  private static final String CODES = "_quantized";

  /**
   * A weight.
   *
   * @param transposed whether the file holds its transpose
   * @param codes what the file's integers stand for; null if it is of floats
   */
  private record Found(OnnxTensor tensor, boolean transposed, OnnxCodes codes) {
    Tensor load() {
      Tensor stored = codes == null ? tensor.load() : codes.values();
      return transposed ? stored.t() : stored;
    }

    Shape shape() {
      Shape stored = tensor.shape();
      return transposed && stored.rank() == 2 ? Shape.of(stored.size(1), stored.size(0)) : stored;
    }
  }

  /** The input and output of a layer in the graph. */
  private record Place(String input, String output, double epsilon) {}

  private final OnnxGraph graph;
  private final String prefix;
  private final Map<String, Found> found = new LinkedHashMap<>();
  private final Set<String> used = new HashSet<>();
  private Double epsilon;

  private OnnxBert(OnnxGraph graph) {
    this.graph = graph;
    this.prefix =
        graph.names().stream()
            .map(name -> name.endsWith(CODES) ? withoutCodes(name) : name)
            .filter(name -> name.endsWith(WORDS))
            .map(name -> name.substring(0, name.length() - WORDS.length()))
            .findFirst()
            .orElseThrow(() -> graph.unknown("there is no tensor " + WORDS));
  }

  private static String withoutCodes(String name) {
    return name.substring(0, name.length() - CODES.length());
  }

  /**
   * Loads the model of a file.
   *
   * @throws FormatException if it is damaged, or its graph is not BERT's
   * @throws dev.jformer.data.DataException if there is no tokenizer beside it
   */
  static Encoder load(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new NoSuchFileException(file.toString());
    }
    OnnxBert read = new OnnxBert(OnnxReader.read(file));
    Encoder.Config config = read.config(Tokenizers.load(file));
    Bert bert = new Bert();
    List<WeightMap> maps =
        bert.weights(config).stream()
            .map(map -> map.renamed(name -> bert.spelled(name, read.names())))
            .toList();
    Blueprint blueprint = Blueprint.of(config, read.names().size());
    Model.Config held = new FewBits(read).config(config, maps);
    return (Encoder) new Loader(file, read).load(held, blueprint, maps, name -> false);
  }

  // ---- The weights, under the names and in the orientation of Hugging Face's files

  @Override
  public Set<String> names() {
    return found.keySet();
  }

  @Override
  public Shape shape(String name) {
    return found.get(name).shape();
  }

  @Override
  public DType dtype(String name) {
    Found weight = found.get(name);
    return weight.codes() == null ? weight.tensor().dtype() : DType.FLOAT32;
  }

  @Override
  public Tensor tensor(String name) {
    return found.get(name).load();
  }

  @Override
  public Optional<BlockForm> form(String name, boolean transposed) {
    Found weight = found.get(name);
    boolean holds =
        !transposed
            && weight != null
            && weight.codes() != null
            && (weight.transposed() || weight.codes().isUniform());
    return holds
        ? Optional.of(new BlockForm(8, true, (int) weight.shape().size(1)))
        : Optional.empty();
  }

  @Override
  public Optional<IntegerBlocks> blocks(String name, boolean transposed) {
    Found weight = found.get(name);
    return form(name, transposed)
        .map(form -> weight.transposed() ? weight.codes().columns() : weight.codes().rows());
  }

  @Override
  public String spelled(String name) {
    String stored = found.get(name).tensor().name();
    return stored.equals(name) ? name : name + " (" + FormatException.oneLine(stored) + ")";
  }

  // ---- The graph

  private Encoder.Config config(Tokenizer tokenizer) {
    operations();
    Shape words = matrix(WORDS);
    Shape positions = matrix("embeddings.position_embeddings.weight");
    boolean typed = has("embeddings.token_type_embeddings.weight");
    Shape types = typed ? matrix("embeddings.token_type_embeddings.weight") : Shape.of(0, 0);
    int width = size(words.size(1), WORDS);
    embeddings();

    String stream = norm("embeddings.LayerNorm").output();
    int layers = 0;
    int headSize = 0;
    int hidden = 0;
    while (graph.tensor(layer(layers) + "attention.self.query.bias") != null) {
      String theirs = layer(layers).substring(prefix.length());
      Place query = linear(theirs + "attention.self.query", stream);
      linear(theirs + "attention.self.key", stream);
      linear(theirs + "attention.self.value", stream);
      linear(theirs + "attention.output.dense", null);
      String mixed = norm(theirs + "attention.output.LayerNorm").output();
      linear(theirs + "intermediate.dense", mixed);
      linear(theirs + "output.dense", null);
      stream = norm(theirs + "output.LayerNorm").output();
      int head = headSize(query, width);
      if (headSize != 0 && head != headSize) {
        throw graph.unknown("heads have the sizes " + headSize + " and " + head);
      }
      headSize = head;
      hidden = size(found.get(theirs + "intermediate.dense.bias").tensor().shape().size(0), theirs);
      layers++;
    }
    if (layers == 0) {
      throw graph.unknown("there is no tensor " + layer(0) + "attention.self.query.bias");
    }
    attention(layers, headSize);
    if (graph.tensor(prefix + "pooler.dense.bias") != null) {
      linear("pooler.dense", null);
      found.keySet().removeIf(name -> name.startsWith("pooler."));
    }
    leftOver(width);
    int padding = tokenizer.id("[PAD]").orElse(0);
    return new EncoderShape(
            layers,
            width,
            width / headSize,
            hidden,
            size(words.size(0), WORDS),
            size(positions.size(0), "embeddings.position_embeddings.weight"),
            (int) types.size(0),
            activation(layers),
            epsilon,
            0.1,
            tokenizer.id(Bert.MASK).orElse(-1),
            padding,
            false)
        .config();
  }

  private String layer(int number) {
    return prefix + "encoder.layer." + number + ".";
  }

  private int size(long size, String tensor) {
    if (size < 1 || size > Integer.MAX_VALUE) {
      throw graph.unknown("a size of " + tensor + " is " + size);
    }
    return (int) size;
  }

  private OnnxTensor stored(String name) {
    OnnxTensor tensor = graph.tensor(prefix + name);
    if (tensor == null) {
      throw graph.unknown("the tensor " + prefix + name + " is missing");
    }
    used.add(tensor.name());
    return tensor;
  }

  private boolean has(String name) {
    return graph.tensor(prefix + name) != null || graph.tensor(prefix + name + CODES) != null;
  }

  /** A table, of floats or quantized. */
  private Shape matrix(String name) {
    String codes = prefix + name + CODES;
    OnnxTensor integers = graph.tensor(codes);
    if (integers == null) {
      return vector(name, 2).shape();
    }
    OnnxGraph.Node lookup = consumer(codes, node -> node.is("Gather"), "Gather");
    OnnxGraph.Node floats =
        consumer(lookup.outputs().get(0), node -> node.is("DequantizeLinear"), "DequantizeLinear");
    OnnxTensor zero = floats.inputs().size() > 2 ? parameter(floats, 2) : null;
    OnnxCodes table = new OnnxCodes(integers, parameter(floats, 1), zero);
    if (!table.isUniform()) {
      throw graph.unknown(floats + " has several scales: expected one for a table");
    }
    used.add(integers.name());
    found.put(name, new Found(integers, false, table));
    return integers.shape();
  }

  /** A stored tensor that an operation takes. */
  private OnnxTensor parameter(OnnxGraph.Node node, int input) {
    OnnxTensor tensor = graph.tensor(node.inputs().get(input));
    if (tensor == null) {
      throw graph.unknown(
          node
              + " takes "
              + FormatException.quote(node.inputs().get(input))
              + ": expected a stored tensor");
    }
    used.add(tensor.name());
    return tensor;
  }

  /** The name of a table in the graph. */
  private String table(String name) {
    return found.get(name).codes() == null ? prefix + name : prefix + name + CODES;
  }

  private OnnxTensor vector(String name, int rank) {
    OnnxTensor tensor = stored(name);
    if (tensor.shape().rank() != rank) {
      throw graph.unknown(
          "the tensor "
              + prefix
              + name
              + " is "
              + tensor.shape()
              + ": expected "
              + (rank == 1 ? "one dimension" : "two dimensions"));
    }
    found.put(name, new Found(tensor, false, null));
    return tensor;
  }

  /** The only consumer of a value that is of the expected kind. */
  private OnnxGraph.Node consumer(String value, Predicate<OnnxGraph.Node> kind, String expected) {
    List<OnnxGraph.Node> all = graph.consumers(value);
    List<OnnxGraph.Node> fitting = all.stream().filter(kind).toList();
    if (fitting.size() != 1) {
      throw graph.unknown(
          "the tensor "
              + FormatException.oneLine(value)
              + " goes into "
              + (all.isEmpty() ? "nothing" : all.get(0).toString())
              + ": expected it in one "
              + expected);
    }
    return fitting.get(0);
  }

  private OnnxGraph.Node producer(OnnxGraph.Node of, String value, String operation) {
    OnnxGraph.Node node = graph.producer(value);
    if (node == null || !node.is(operation)) {
      throw graph.unknown(
          of
              + " takes "
              + (node == null ? FormatException.quote(value) : node)
              + ": expected the result of a "
              + operation);
    }
    return node;
  }

  /** The other input of an operation with two inputs. */
  private String other(OnnxGraph.Node node, String input) {
    if (node.inputs().size() != 2) {
      throw graph.unknown(node + " has " + node.inputs().size() + " inputs: expected two");
    }
    String first = node.inputs().get(0);
    return graph.source(first).equals(graph.source(input)) ? node.inputs().get(1) : first;
  }

  /** The origin of a value: follows it back through copies, casts, reshapes and dropout. */
  private String origin(String value) {
    String name = graph.source(value);
    for (int i = 0; i < graph.nodes().size(); i++) {
      OnnxGraph.Node node = graph.producer(name);
      if (node == null || !PASSING.contains(node.operation())) {
        break;
      }
      name = graph.source(node.inputs().get(0));
    }
    return name;
  }

  /** Checks that all operations are ONNX's own and in floating point, or quantize dynamically. */
  private void operations() {
    for (OnnxGraph.Node node : graph.nodes()) {
      boolean plain = node.domain().isEmpty() || node.domain().equals("ai.onnx");
      boolean dynamic = DYNAMIC.contains(node.operation());
      if (!plain || (!dynamic && node.operation().matches(".*(Quantize|Integer|QLinear).*"))) {
        throw graph.unknown(
            node
                + " is "
                + (plain ? "quantized" : "of " + FormatException.quote(node.domain()))
                + ": export the model in floating point, or with dynamic quantization, and without"
                + " fusing operations");
      }
    }
  }

  /** Checks that words are looked up by ids, and positions independently of the ids. */
  private void embeddings() {
    OnnxGraph.Node words = consumer(table(WORDS), node -> node.is("Gather"), "Gather");
    if (!graph.isInput(origin(words.inputs().get(1)))) {
      throw graph.unknown(words + " does not look up ids that are an input of the graph");
    }
    OnnxGraph.Node positions =
        consumer(
            table("embeddings.position_embeddings.weight"),
            node -> node.is("Gather") || node.is("Slice"),
            "Gather");
    for (String index : positions.inputs().subList(1, positions.inputs().size())) {
      Set<String> seen = new HashSet<>();
      if (dependsOnInput(index, seen)) {
        throw graph.unknown(
            positions + " makes positions depend on the ids, as RoBERTa does and BERT does not");
      }
      seen.forEach(this::countsFromZero);
    }
  }

  /** Checks that a stored list of all positions counts from 0. */
  private void countsFromZero(String value) {
    OnnxTensor list = graph.tensor(value);
    long length = found.get("embeddings.position_embeddings.weight").shape().size(0);
    if (list == null || list.shape().elements() != length || list.dtype() != DType.INT64) {
      return;
    }
    long[] positions = list.integers();
    for (int i = 0; i < positions.length; i++) {
      if (positions[i] != i) {
        throw graph.unknown(
            FormatException.quote(list.name()) + " gives token " + i + " position " + positions[i]);
      }
    }
  }

  private boolean dependsOnInput(String value, Set<String> seen) {
    Deque<String> left = new ArrayDeque<>(List.of(value));
    while (!left.isEmpty()) {
      String name = graph.source(left.pop());
      if (!seen.add(name)) {
        continue;
      }
      if (graph.isInput(name)) {
        return true;
      }
      OnnxGraph.Node node = graph.producer(name);
      if (node != null && !node.is("Shape") && !node.is("Size")) {
        node.inputs().forEach(left::push);
      }
    }
    return false;
  }

  /**
   * Finds a linear layer by its bias.
   *
   * @param expected the value it must act on; null for any
   */
  private Place linear(String name, String expected) {
    OnnxTensor bias = vector(name + ".bias", 1);
    OnnxGraph.Node end =
        consumer(prefix + name + ".bias", node -> node.is("Add") || node.is("Gemm"), "Add or Gemm");
    OnnxGraph.Node product = end;
    OnnxGraph.Node scaled =
        end.is("Add") ? graph.producer(other(end, prefix + name + ".bias")) : null;
    if (scaled != null && scaled.is("Mul")) {
      return integers(name, bias, scaled, end, expected);
    }
    if (end.is("Add")) {
      product = producer(end, other(end, prefix + name + ".bias"), "MatMul");
    } else if (end.number("alpha", 1) != 1
        || end.number("beta", 1) != 1
        || end.integer("transA", 0) != 0) {
      throw graph.unknown(end + " is not a linear layer: expected alpha and beta 1, transA 0");
    }
    String matrix = product.inputs().get(1);
    boolean transposed = product.integer("transB", 0) == 0;
    OnnxGraph.Node turn = graph.producer(matrix);
    if (turn != null && turn.is("Transpose") && graph.tensor(turn.inputs().get(0)) != null) {
      matrix = turn.inputs().get(0);
      transposed = !transposed;
    }
    OnnxTensor weight = graph.tensor(matrix);
    if (weight == null || weight.shape().rank() != 2) {
      throw graph.unknown(
          product + " multiplies by no stored matrix: expected the weight of " + name);
    }
    Found oriented = new Found(weight, transposed, null);
    return place(name, bias, oriented, product, product.inputs().get(0), end, expected);
  }

  /** A linear layer of integers: its input is quantized when the graph runs. */
  private Place integers(
      String name, OnnxTensor bias, OnnxGraph.Node scaled, OnnxGraph.Node end, String expected) {
    OnnxGraph.Node first = graph.producer(scaled.inputs().get(0));
    boolean castFirst = first != null && first.is("Cast");
    OnnxGraph.Node cast = producer(scaled, scaled.inputs().get(castFirst ? 0 : 1), "Cast");
    OnnxGraph.Node factors = producer(scaled, scaled.inputs().get(castFirst ? 1 : 0), "Mul");
    OnnxGraph.Node product = producer(cast, cast.inputs().get(0), "MatMulInteger");
    OnnxGraph.Node rounded = producer(product, product.inputs().get(0), "DynamicQuantizeLinear");
    List<String> made = rounded.outputs();
    boolean fits =
        made.size() == 3
            && graph.source(product.inputs().get(0)).equals(made.get(0))
            && product.inputs().size() > 2
            && graph.source(product.inputs().get(2)).equals(made.get(2))
            && factors.inputs().stream().map(graph::source).toList().contains(made.get(1));
    if (!fits) {
      throw graph.unknown(
          product + " does not take the integers and the zero of " + rounded + ", with its scale");
    }
    String scale = other(factors, made.get(1));
    OnnxTensor scales = parameter(factors, factors.inputs().indexOf(scale));
    OnnxTensor zero = product.inputs().size() > 3 ? parameter(product, 3) : null;
    OnnxTensor weight = parameter(product, 1);
    Found oriented = new Found(weight, true, new OnnxCodes(weight, scales, zero));
    return place(name, bias, oriented, product, rounded.inputs().get(0), end, expected);
  }

  private Place place(
      String name,
      OnnxTensor bias,
      Found oriented,
      OnnxGraph.Node product,
      String input,
      OnnxGraph.Node end,
      String expected) {
    OnnxTensor weight = oriented.tensor();
    if (oriented.shape().size(0) != bias.shape().size(0)) {
      throw graph.unknown(
          product
              + " multiplies by "
              + FormatException.oneLine(weight.name())
              + ", which is "
              + weight.shape()
              + ": it does not fit the bias "
              + prefix
              + name
              + ".bias of "
              + bias.shape());
    }
    used.add(weight.name());
    found.put(name + ".weight", oriented);
    if (expected != null && !origin(input).equals(origin(expected))) {
      throw graph.unknown(
          product
              + " acts on "
              + FormatException.quote(input)
              + ": expected "
              + FormatException.quote(expected));
    }
    return new Place(input, end.outputs().get(0), 0);
  }

  /** Finds a layer norm by its bias; it may be one operation or several. */
  private Place norm(String name) {
    vector(name + ".weight", 1);
    vector(name + ".bias", 1);
    String bias = prefix + name + ".bias";
    OnnxGraph.Node end =
        consumer(
            bias,
            node -> node.is("Add") || node.is("LayerNormalization"),
            "Add or LayerNormalization");
    double own;
    if (end.is("LayerNormalization")) {
      own = end.number("epsilon", 1e-5);
    } else {
      OnnxGraph.Node scaled = producer(end, other(end, bias), "Mul");
      OnnxGraph.Node divided = producer(scaled, other(scaled, prefix + name + ".weight"), "Div");
      OnnxGraph.Node root = producer(divided, divided.inputs().get(1), "Sqrt");
      OnnxGraph.Node sum = producer(root, root.inputs().get(0), "Add");
      own =
          sum.inputs().stream()
              .map(graph::tensor)
              .filter(Objects::nonNull)
              .mapToDouble(OnnxTensor::number)
              .findFirst()
              .orElse(Double.NaN);
    }
    if (!(own > 0) || (epsilon != null && epsilon != own)) {
      throw graph.unknown(
          end + " has the epsilon " + own + (epsilon == null ? "" : ", others have " + epsilon));
    }
    epsilon = own;
    return new Place(null, end.outputs().get(0), own);
  }

  /** The width of a head: the last size in the reshape of queries. */
  private int headSize(Place query, int width) {
    OnnxGraph.Node reshape = consumer(query.output(), node -> node.is("Reshape"), "Reshape");
    String sizes = reshape.inputs().get(1);
    OnnxGraph.Node joined = graph.producer(sizes);
    if (joined != null && joined.is("Concat")) {
      sizes = joined.inputs().get(joined.inputs().size() - 1);
    }
    OnnxTensor last = graph.tensor(sizes);
    long[] known = last == null ? new long[0] : last.integers();
    long size = known.length == 0 ? 0 : known[known.length - 1];
    if (size < 1 || width % size != 0) {
      throw graph.unknown(reshape + " splits queries of width " + width + " into heads of " + size);
    }
    return (int) size;
  }

  /** Checks that each layer has one softmax, and that its logits are divided by √(head size). */
  private void attention(int layers, int headSize) {
    List<OnnxGraph.Node> all = graph.nodes().stream().filter(node -> node.is("Softmax")).toList();
    if (all.size() != layers) {
      throw graph.unknown("there are " + all.size() + " Softmax nodes for " + layers + " layers");
    }
    for (OnnxGraph.Node softmax : all) {
      OnnxGraph.Node node = graph.producer(softmax.inputs().get(0));
      if (node != null && node.is("Add")) {
        node =
            node.inputs().stream()
                .map(graph::producer)
                .filter(n -> n != null && List.of("Div", "Mul", "MatMul").contains(n.operation()))
                .filter(n -> n.is("MatMul") || multiplied(n))
                .findFirst()
                .orElse(null);
      }
      if (node == null || !(node.is("MatMul") || multiplied(node))) {
        throw graph.unknown(softmax + " does not take products of queries and keys");
      }
      double factor =
          node.is("MatMul")
              ? Double.NaN
              : node.inputs().stream()
                  .map(graph::tensor)
                  .filter(Objects::nonNull)
                  .mapToDouble(OnnxTensor::number)
                  .findFirst()
                  .orElse(Double.NaN);
      double root = node.is("Div") ? factor : 1 / factor;
      if (Math.abs(root - Math.sqrt(headSize)) > 1e-3) {
        throw graph.unknown(
            node + " divides logits by " + root + ": expected the square root of " + headSize);
      }
    }
  }

  /** Whether a node scales the product of two values. */
  private boolean multiplied(OnnxGraph.Node node) {
    return node.inputs().stream().map(graph::producer).anyMatch(n -> n != null && n.is("MatMul"));
  }

  private Activation activation(int layers) {
    for (Map.Entry<String, Activation> known :
        Map.of("Erf", Activation.GELU, "Gelu", Activation.GELU, "Relu", Activation.RELU)
            .entrySet()) {
      if (graph.nodes().stream().filter(node -> node.is(known.getKey())).count() == layers) {
        return known.getValue();
      }
    }
    throw graph.unknown("its activation is neither GELU, as Erf or Gelu, nor ReLU");
  }

  private void leftOver(int width) {
    for (String name : graph.names()) {
      OnnxTensor tensor = graph.tensor(name);
      if ((tensor.dtype().isFloating() || tensor.dtype().bytes() == 1)
          && tensor.shape().elements() >= width
          && !used.contains(tensor.name())
          && !graph.consumers(name).isEmpty()) {
        throw graph.unknown(
            "BERT has no weight for the tensor "
                + FormatException.oneLine(name)
                + " of "
                + tensor.shape());
      }
    }
  }
}
