package dev.jformer.hub;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import dev.jformer.compress.Fold;
import dev.jformer.data.DataException;
import dev.jformer.io.FormatException;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.model.Encoder;
import dev.jformer.nn.Module;
import dev.jformer.nn.quantized.BlockLinear;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.BlockTable;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A tiny BERT exported to ONNX by PyTorch, as it is and damaged. */
@ExtendWith(Scoped.class)
class OnnxBertTest {
  private static final Path FILE = BertTest.MODELS.resolve("bert-onnx/model.onnx");
  private static final int GRAPH = 7;
  private static final int NODE = 1;
  private static final int TENSOR = 5;

  @TempDir Path folder;

  private Path file;

  @BeforeEach
  void copy() throws IOException {
    Files.copy(FILE.resolveSibling("tokenizer.json"), folder.resolve("tokenizer.json"));
    file = Files.copy(FILE, folder.resolve("model.onnx"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.onnx", "dynamo.onnx"})
  void isTheModelThatWasExported(String exported) throws IOException {
    Path bert = BertTest.MODELS.resolve("bert");
    try (Mode mode = Autograd.noGrad();
        Encoder model = (Encoder) Models.load(FILE.resolveSibling(exported));
        Encoder original = (Encoder) Models.load(bert);
        SafetensorsFile expected = SafetensorsFile.open(bert.resolve("expected.safetensors"))) {
      BertTest.check(model, expected);
      assertEquals(original.config(), model.config());
      original
          .parameters()
          .forEach((name, p) -> assertSame(p.value(), model.parameters().get(name).value(), name));
    }
    try (Encoder model = (Encoder) Models.load(FILE.getParent())) {
      assertEquals(4, model.mask());
    }
  }

  /**
   * Dynamic quantization, as onnxruntime makes it: tools/fixtures/make_onnx_int8.py. It rounds
   * activations of a whole batch to 8 bits, which we do not.
   */
  @ParameterizedTest
  @ValueSource(strings = {"signed", "unsigned"})
  void eightBitsAreKept(String kind) throws IOException {
    Path place = BertTest.MODELS.resolve("bert-onnx-int8");
    try (Mode mode = Autograd.noGrad();
        Encoder model = (Encoder) Models.load(place.resolve(kind + ".onnx"));
        Encoder original = (Encoder) Models.load(FILE);
        Encoder floats = Fold.fold(model);
        SafetensorsFile expected = SafetensorsFile.open(place.resolve("expected.safetensors"))) {
      assertEquals(new BlockLinear.Config(), model.config().projection());
      assertEquals(original.config(), floats.config());
      // Matrices this small are padded to panels of 64 rows.
      double share = (double) model.parameterBytes() / original.parameterBytes();
      assertTrue(share < 1, "" + share);
      int layers = 0;
      for (Module module : model.modules().values()) {
        if (module instanceof BlockLinear layer) {
          Shape shape = layer.shape();
          long bytes = shape.size(1) * BlockTable.columnBytes(shape.size(0), 8);
          assertEquals(bytes, layer.parameters().get("weight").value().elements(), "in 8 bits");
          layers++;
        }
      }
      assertEquals(8, layers, "four of each block, as queries, keys and values are one");
      Tensor ids = expected.tensor("input_ids");
      Tensor types = expected.tensor("token_type_ids");
      Tensor padding = expected.tensor("attention_mask").gt(0);
      Tensor mask = padding.unsqueeze(2).to(DType.FLOAT32);
      Tensor states = model.hidden(ids, types, padding).mul(mask);
      assertClose(expected.tensor(kind + "_exact").mul(mask), states, 1e-4);
      double rounding =
          expected.tensor(kind).sub(expected.tensor(kind + "_exact")).mul(mask).abs().max().item();
      assertTrue(rounding > 0.005, "onnxruntime rounds activations: " + rounding);
      assertClose(expected.tensor(kind).mul(mask), states, 1.01 * rounding);
      assertClose(states, floats.hidden(ids, types, padding).mul(mask), 1e-5);
    }
  }

  // ---- Other ways to say the same

  private static String text(UnknownFieldSet message, int field) {
    List<ByteString> all = message.getField(field).getLengthDelimitedList();
    return all.isEmpty() ? "" : all.get(0).toStringUtf8();
  }

  private static UnknownFieldSet with(UnknownFieldSet message, int field, ByteString... values) {
    UnknownFieldSet.Field.Builder made = UnknownFieldSet.Field.newBuilder();
    Arrays.stream(values).forEach(made::addLengthDelimited);
    return message.toBuilder().addField(field, made.build()).build();
  }

  private static UnknownFieldSet with(UnknownFieldSet message, int field, String... values) {
    return with(
        message,
        field,
        Arrays.stream(values).map(ByteString::copyFromUtf8).toArray(ByteString[]::new));
  }

  /** Rewrites all nodes or all tensors; one for which nothing comes back is left out. */
  private void edit(int kind, UnaryOperator<UnknownFieldSet> change) throws IOException {
    UnknownFieldSet model = UnknownFieldSet.parseFrom(Files.readAllBytes(file));
    UnknownFieldSet graph =
        UnknownFieldSet.parseFrom(model.getField(GRAPH).getLengthDelimitedList().get(0));
    List<ByteString> kept = new ArrayList<>();
    for (ByteString bytes : graph.getField(kind).getLengthDelimitedList()) {
      UnknownFieldSet changed = change.apply(UnknownFieldSet.parseFrom(bytes));
      if (changed != null) {
        kept.add(changed.toByteString());
      }
    }
    graph = with(graph, kind, kept.toArray(ByteString[]::new));
    Files.write(file, with(model, GRAPH, graph.toByteString()).toByteArray());
  }

  private void same(String how) throws IOException {
    Tensor ids = Tensor.randint(5, 60, 2, 9);
    try (Mode mode = Autograd.noGrad();
        Encoder expected = (Encoder) Models.load(FILE);
        Encoder model = (Encoder) Models.load(file)) {
      assertSame(expected.hidden(ids, null), model.hidden(ids, null), how);
    }
  }

  /** Values may be stored as numbers instead of bytes, packed or one by one. */
  @Test
  void readsValuesHoweverTheyAreStored() throws IOException {
    edit(
        TENSOR,
        tensor -> {
          ByteString raw = tensor.getField(9).getLengthDelimitedList().get(0);
          UnknownFieldSet.Field.Builder floats = UnknownFieldSet.Field.newBuilder();
          if (raw.size() % 3 == 0) {
            ByteBuffer values = ByteBuffer.wrap(raw.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
            while (values.hasRemaining()) {
              floats.addFixed32(values.getInt());
            }
          } else {
            floats.addLengthDelimited(raw);
          }
          return tensor.toBuilder().clearField(9).addField(4, floats.build()).build();
        });
    same("float_data");
  }

  /** Some exporters keep a matrix as it is and transpose it in the graph. */
  @Test
  void followsTransposedMatrices() throws IOException {
    String[] turned = {""};
    edit(
        TENSOR,
        tensor -> {
          List<Long> dims = tensor.getField(1).getVarintList();
          if (!turned[0].isEmpty()
              || !text(tensor, 8).startsWith("onnx::MatMul")
              || dims.get(0) == 24) {
            return tensor;
          }
          turned[0] = text(tensor, 8);
          int rows = Math.toIntExact(dims.get(0));
          int columns = Math.toIntExact(dims.get(1));
          ByteBuffer old =
              ByteBuffer.wrap(tensor.getField(9).getLengthDelimitedList().get(0).toByteArray())
                  .order(ByteOrder.LITTLE_ENDIAN);
          ByteBuffer made = ByteBuffer.allocate(old.capacity()).order(ByteOrder.LITTLE_ENDIAN);
          for (int c = 0; c < columns; c++) {
            for (int r = 0; r < rows; r++) {
              made.putFloat(old.getFloat(4 * (r * columns + c)));
            }
          }
          UnknownFieldSet.Field sizes =
              UnknownFieldSet.Field.newBuilder().addVarint(columns).addVarint(rows).build();
          return with(
              tensor.toBuilder().addField(1, sizes).build(), 9, ByteString.copyFrom(made.array()));
        });
    assertFalse(turned[0].isEmpty());
    boolean[] done = {false};
    edit(
        NODE,
        node -> {
          List<ByteString> inputs = node.getField(1).getLengthDelimitedList();
          boolean takes = inputs.size() == 2 && inputs.get(1).toStringUtf8().equals(turned[0]);
          done[0] |= takes;
          return takes ? with(node, 1, inputs.get(0).toStringUtf8(), "turned") : node;
        });
    assertTrue(done[0]);
    add(
        NODE,
        with(
            with(with(UnknownFieldSet.newBuilder().build(), 1, turned[0]), 2, "turned"),
            4,
            "Transpose"));
    same("transposed");
  }

  private void add(int kind, UnknownFieldSet message) throws IOException {
    UnknownFieldSet model = UnknownFieldSet.parseFrom(Files.readAllBytes(file));
    UnknownFieldSet graph =
        UnknownFieldSet.parseFrom(model.getField(GRAPH).getLengthDelimitedList().get(0));
    UnknownFieldSet.Field one =
        UnknownFieldSet.Field.newBuilder().addLengthDelimited(message.toByteString()).build();
    graph = graph.toBuilder().mergeField(kind, one).build();
    Files.write(file, with(model, GRAPH, graph.toByteString()).toByteArray());
  }

  // ---- What is wrong

  private void refused(String... parts) {
    String found = assertThrows(FormatException.class, () -> Models.load(file)).getMessage();
    for (String part : parts) {
      assertTrue(found.contains(part) && !found.contains("\n"), part + " in " + found);
    }
    assertTrue(found.startsWith(file.toString()), found);
  }

  private void rename(int kind, int field, String from, String to) throws IOException {
    int[] count = {0};
    edit(
        kind,
        message -> {
          boolean hit = text(message, field).equals(from);
          count[0] += hit ? 1 : 0;
          return hit ? with(message, field, to) : message;
        });
    assertTrue(count[0] > 0, from);
  }

  private void reset() throws IOException {
    Files.delete(file);
    Files.copy(FILE, file);
  }

  @Test
  void namesWhatIsMissing() throws IOException {
    rename(TENSOR, 8, "embeddings.word_embeddings.weight", "words");
    refused("there is no tensor embeddings.word_embeddings.weight");
    reset();
    rename(TENSOR, 8, "encoder.layer.1.output.dense.bias", "b");
    refused("the tensor encoder.layer.1.output.dense.bias is missing");
    reset();
    rename(TENSOR, 8, "encoder.layer.0.attention.self.query.bias", "b");
    refused("there is no tensor encoder.layer.0.attention.self.query.bias");
    reset();
    edit(TENSOR, tensor -> text(tensor, 8).startsWith("onnx::MatMul") ? null : tensor);
    refused("multiplies by no stored matrix", "encoder.layer.0.attention.self.query");
    reset();
    Files.delete(folder.resolve("tokenizer.json"));
    DataException e = assertThrows(DataException.class, () -> Models.load(file));
    assertTrue(e.getMessage().contains("no tokenizer at"), e.getMessage());
  }

  @Test
  void refusesIntegersThatAreWiredDifferently() throws IOException {
    Path int8 = BertTest.MODELS.resolve("bert-onnx-int8/unsigned.onnx");
    Files.copy(int8, file, StandardCopyOption.REPLACE_EXISTING);
    rename(NODE, 4, "MatMulInteger", "MatMul");
    refused("expected the result of a MatMulInteger");
    Files.copy(int8, file, StandardCopyOption.REPLACE_EXISTING);
    String product = "/encoder/layer.0/attention/self/query/MatMul_quant";
    rewire(product, 2, "embeddings.word_embeddings.weight_zero_point");
    refused("does not take the integers and the zero of the node");
    Files.copy(int8, file, StandardCopyOption.REPLACE_EXISTING);
    rewire(product, 3, "embeddings.word_embeddings.weight_scale");
    refused("expected a zero of type UINT8");
  }

  @Test
  void refusesGraphsThatAreNotBerts() throws IOException {
    rename(NODE, 4, "Softmax", "Sigmoid");
    refused("0 Softmax nodes for 2 layers");
    reset();
    rename(NODE, 4, "Erf", "Tanh");
    refused("activation is neither GELU");
    reset();
    rename(NODE, 4, "MatMul", "QLinearMatMul");
    refused("(QLinearMatMul) is quantized");
    reset();
    rename(NODE, 4, "Sqrt", "Exp");
    refused("the node '/embeddings/LayerNorm/Div' (Div) takes the node", "result of a Sqrt");
    reset();
    // Positions that are looked up by what a token is.
    rewire("/embeddings/position_embeddings/Gather", 1, "input_ids");
    refused("/embeddings/position_embeddings/Gather", "positions depend on the ids");
    reset();
    // A layer that skips the one before.
    rewire(
        "/encoder/layer.1/attention/self/query/MatMul", 0, "/embeddings/LayerNorm/Add_1_output_0");
    refused("/encoder/layer.1/attention/self/query/MatMul", "layer.0/output/LayerNorm");
    reset();
    add(NODE, with(with(UnknownFieldSet.newBuilder().build(), 4, "Attention"), 7, "com.microsoft"));
    refused("(Attention) is of 'com.microsoft'");
    reset();
    // A weight that BERT does not have, and that something takes.
    UnknownFieldSet extra =
        with(
            with(
                UnknownFieldSet.newBuilder()
                    .addField(1, UnknownFieldSet.Field.newBuilder().addVarint(16).build())
                    .addField(2, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                    .build(),
                8,
                "adapter.weight"),
            9,
            ByteString.copyFrom(new byte[64]));
    add(TENSOR, extra);
    add(
        NODE,
        with(
            with(with(UnknownFieldSet.newBuilder().build(), 1, "adapter.weight"), 2, "adapted"),
            4,
            "Relu"));
    refused("no weight for the tensor adapter.weight of [16]");
  }

  private void rewire(String node, int input, String to) throws IOException {
    edit(
        NODE,
        message -> {
          if (!text(message, 3).equals(node)) {
            return message;
          }
          String[] inputs =
              message.getField(1).getLengthDelimitedList().stream()
                  .map(ByteString::toStringUtf8)
                  .toArray(String[]::new);
          inputs[input] = to;
          return with(message, 1, inputs);
        });
  }

  private void sizes(String name, long... sizes) throws IOException {
    edit(
        TENSOR,
        tensor -> {
          if (!text(tensor, 8).equals(name)) {
            return tensor;
          }
          UnknownFieldSet.Field.Builder dims = UnknownFieldSet.Field.newBuilder();
          Arrays.stream(sizes).forEach(dims::addVarint);
          return tensor.toBuilder().addField(1, dims.build()).build();
        });
  }

  @Test
  void namesShapesThatDoNotFit() throws IOException {
    String position = "embeddings.position_embeddings.weight";
    sizes(position, 16, 20);
    refused("the tensor " + position + " is [16x20], but the configuration makes it [16x16]");
    reset();
    sizes(position, 320);
    refused("the tensor " + position + " is [320]: expected two dimensions");
    reset();
    sizes(position, 19, 16);
    refused("the tensor " + position + " of size [19x16] has 1280 bytes: expected 1216");
    reset();
    sizes(position, 1L << 40, 1L << 40);
    refused("impossible size");
    reset();
    sizes("encoder.layer.1.intermediate.dense.bias", 4, 6);
    refused("the tensor encoder.layer.1.intermediate.dense.bias is [4x6]: expected one dimension");
    reset();
    // The matrix of the layer that widens, as if it narrowed.
    String matrix = matrixOf("/encoder/layer.0/intermediate/dense/MatMul");
    sizes(matrix, 24, 16);
    refused("/encoder/layer.0/intermediate/dense/MatMul", matrix, "[24x16]", "does not fit");
    reset();
    UnaryOperator<UnknownFieldSet> elsewhere =
        tensor ->
            tensor.toBuilder()
                .addField(14, UnknownFieldSet.Field.newBuilder().addVarint(1).build())
                .build();
    edit(TENSOR, elsewhere);
    refused("is in another file");
  }

  private String matrixOf(String node) throws IOException {
    String[] name = {""};
    edit(
        NODE,
        message -> {
          if (text(message, 3).equals(node)) {
            name[0] = message.getField(1).getLengthDelimitedList().get(1).toStringUtf8();
          }
          return message;
        });
    return name[0];
  }

  @Test
  void refusesLogitsScaledOtherwise() throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    byte[] root = {(byte) 0xF3, 0x04, (byte) 0xB5, 0x3E}; // 1/√8 as float
    String all = new String(bytes, StandardCharsets.ISO_8859_1);
    int at = all.indexOf(new String(root, StandardCharsets.ISO_8859_1));
    assertTrue(at > 0, "the scale is there");
    bytes[at + 3] = 0x3F;
    Files.write(file, bytes);
    refused("/attention/self/Mul", "divides logits by", "expected the square root of 8");
  }

  /** Operations without the inputs or the output that they need. */
  @Test
  void refusesIncompleteOperations() throws IOException {
    for (String operation : List.of("Identity", "Gather", "MatMul", "Softmax", "Reshape")) {
      edit(
          NODE,
          node -> text(node, 4).equals(operation) ? node.toBuilder().clearField(1).build() : node);
      if (operation.equals("Identity")) {
        add(NODE, with(UnknownFieldSet.newBuilder().build(), 4, "Identity"));
      }
      refused("(" + operation + ") has 0 inputs and");
      reset();
    }
    edit(
        NODE,
        node -> text(node, 4).equals("Constant") ? node.toBuilder().clearField(2).build() : node);
    refused("(Constant) has 0 inputs and 0 outputs");
  }

  /** A chain of operations that is as long as a file may be does not fill the stack. */
  @Test
  void followsLongChains() throws IOException {
    String value = "start";
    List<ByteString> nodes = new ArrayList<>();
    UnknownFieldSet none = UnknownFieldSet.newBuilder().build();
    for (int i = 0; i < 20_000; i++) {
      nodes.add(with(with(with(none, 1, value), 2, "v" + i), 4, "Neg").toByteString());
      value = "v" + i;
    }
    UnknownFieldSet model = UnknownFieldSet.parseFrom(Files.readAllBytes(file));
    UnknownFieldSet graph =
        UnknownFieldSet.parseFrom(model.getField(GRAPH).getLengthDelimitedList().get(0));
    UnknownFieldSet.Field.Builder more = UnknownFieldSet.Field.newBuilder();
    nodes.forEach(more::addLengthDelimited);
    graph = graph.toBuilder().mergeField(NODE, more.build()).build();
    Files.write(file, with(model, GRAPH, graph.toByteString()).toByteArray());
    rewire("/embeddings/position_embeddings/Gather", 1, value);
    same("long chain");
  }

  /** Cut off anywhere, or with any byte changed, a file is refused or read, and never more. */
  @Test
  void damagedFilesAreRefused() throws IOException {
    byte[] whole = Files.readAllBytes(file);
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 60; i++) {
      int length = i == 0 ? 0 : random.nextInt(whole.length);
      Files.write(file, Arrays.copyOf(whole, length));
      refused("");
    }
    Files.write(file, Arrays.copyOf(whole, whole.length / 2));
    refused("is cut off: ");
    int refused = 0;
    for (int i = 0; i < 150; i++) {
      byte[] changed = whole.clone();
      changed[random.nextInt(whole.length)] ^= (byte) (1 << random.nextInt(8));
      Files.write(file, changed);
      try (Encoder model = (Encoder) Models.load(file)) {
        assertEquals(16, model.config().width());
      } catch (FormatException | dev.jformer.config.ConfigException e) {
        refused++;
      }
    }
    assertTrue(refused > 10, refused + " of 150");
    Files.writeString(file, "no protobuf at all, but text");
    refused("is not an ONNX file");
  }
}
