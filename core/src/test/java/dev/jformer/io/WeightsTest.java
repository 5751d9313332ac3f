package dev.jformer.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WeightsTest {
  private static final String INDEX = "model.safetensors.index.json";

  @TempDir Path directory;
  private Scope scope;

  @BeforeEach
  void openScope() {
    scope = Scope.open();
  }

  @AfterEach
  void closeScope() {
    scope.close();
  }

  private static Path huggingFace(String name) throws URISyntaxException {
    return Path.of(WeightsTest.class.getResource("hf/" + name).toURI());
  }

  /** Five tensors of 40 bytes each. */
  private static Map<String, Tensor> five() {
    Map<String, Tensor> tensors = new TreeMap<>();
    for (String name : List.of("a", "b", "c", "d", "e")) {
      tensors.put(name, Tensor.randn(2, 5));
    }
    return tensors;
  }

  private Set<String> files() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return Set.copyOf(files.map(file -> file.getFileName().toString()).toList());
    }
  }

  private static void assertHolds(Map<String, Tensor> expected, Path path) throws IOException {
    try (Weights weights = Weights.open(path)) {
      assertEquals(expected.keySet(), weights.names());
      expected.forEach(
          (name, tensor) -> {
            assertEquals(tensor.shape(), weights.shape(name));
            assertEquals(tensor.dtype(), weights.dtype(name));
            assertTrue(tensor.sameAs(weights.tensor(name)), name);
          });
    }
  }

  @Test
  void smallModelsTakeOneFile() throws IOException {
    Map<String, Tensor> tensors = five();
    Weights.save(directory.resolve("made/too"), tensors, Map.of("k", "v"));
    assertHolds(tensors, directory.resolve("made/too"));
    assertHolds(tensors, directory.resolve("made/too/model.safetensors"));
    try (Weights weights = Weights.open(directory.resolve("made/too"))) {
      assertEquals(Map.of("format", "pt", "k", "v"), weights.metadata());
    }
  }

  @Test
  void shardsAreFilledUpToTheirLimit() throws IOException {
    Map<String, Tensor> tensors = five();
    tensors.put("big", Tensor.randn(3, 50));
    Weights.save(directory, tensors, Map.of("format", "mlx"), Map.of(), 80);
    assertEquals(
        Set.of(
            INDEX,
            "model-00001-of-00004.safetensors",
            "model-00002-of-00004.safetensors",
            "model-00003-of-00004.safetensors",
            "model-00004-of-00004.safetensors"),
        files());
    JsonNode index = new JsonMapper().readTree(directory.resolve(INDEX).toFile());
    assertEquals(800, index.get("metadata").get("total_size").asInt());
    Map<String, String> expected = new TreeMap<>();
    List.of("a", "b").forEach(n -> expected.put(n, "model-00001-of-00004.safetensors"));
    List.of("big").forEach(n -> expected.put(n, "model-00002-of-00004.safetensors"));
    List.of("c", "d").forEach(n -> expected.put(n, "model-00003-of-00004.safetensors"));
    List.of("e").forEach(n -> expected.put(n, "model-00004-of-00004.safetensors"));
    assertEquals(new JsonMapper().valueToTree(expected), index.get("weight_map"));
    byte[] third = Files.readAllBytes(directory.resolve("model-00003-of-00004.safetensors"));
    assertEquals(3, RawFile.header(third).size());
    assertEquals("mlx", RawFile.header(third).get("__metadata__").get("format").asText());
    assertHolds(tensors, directory);
    assertHolds(tensors, directory.resolve(INDEX));
  }

  @Test
  void equalWeightsGiveEqualFiles() throws IOException {
    Map<String, Tensor> tensors = five();
    Weights.save(directory, tensors, Map.of(), Map.of(), 100);
    Map<String, byte[]> before = new TreeMap<>();
    for (String file : files()) {
      before.put(file, Files.readAllBytes(directory.resolve(file)));
    }
    Weights.save(directory, new HashMap<>(tensors), Map.of(), Map.of(), 100);
    assertEquals(before.keySet(), files());
    for (String file : files()) {
      assertArrayEquals(before.get(file), Files.readAllBytes(directory.resolve(file)), file);
    }
  }

  @Test
  void savingInAnotherLayoutLeavesNoOldFiles() throws IOException {
    Files.writeString(directory.resolve("config.json"), "{}");
    Files.writeString(directory.resolve("model-notes.safetensors"), "mine");
    Set<String> others = Set.of("config.json", "model-notes.safetensors");
    for (long limit : new long[] {80, 1000, 120, 40, 40, 1000}) {
      Map<String, Tensor> tensors = five();
      Weights.save(directory, tensors, Map.of(), Map.of(), limit);
      assertHolds(tensors, directory);
      int shards = limit == 80 ? 3 : limit == 120 ? 2 : limit == 40 ? 5 : 0;
      assertEquals(others.size() + (shards == 0 ? 1 : shards + 1), files().size());
      assertTrue(files().containsAll(others));
    }
  }

  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void weightsCanBeSavedWhereTheyAreReadFrom() throws IOException {
    Map<String, Tensor> tensors = five();
    Weights.save(directory, tensors, Map.of(), Map.of(), 80);
    try (Weights weights = Weights.open(directory)) {
      Map<String, Tensor> mapped = new TreeMap<>();
      weights.names().forEach(name -> mapped.put(name, weights.tensor(name)));
      Weights.save(directory, mapped, weights.metadata(), Map.of(), 80);
      Weights.save(directory, mapped, weights.metadata());
    }
    assertHolds(tensors, directory);
  }

  @Test
  void readsShardsThatTransformersWrote() throws IOException, URISyntaxException {
    try (Weights weights = Weights.open(huggingFace("llama-tied"))) {
      assertEquals(20, weights.names().size());
      assertEquals(Map.of("format", "pt"), weights.metadata());
      assertEquals(Shape.of(96, 32), weights.shape("model.embed_tokens.weight"));
      assertEquals(Shape.of(16, 32), weights.shape("model.layers.1.self_attn.k_proj.weight"));
      for (String name : weights.names()) {
        assertEquals(DType.FLOAT32, weights.dtype(name));
        assertTrue(weights.tensor(name).abs().max().item() > 0.3, name);
        assertTrue(weights.tensor(name).abs().max().item() < 4, name);
      }
    }
  }

  /** Logits are states times the output matrix, so they lie in the span of its 32 columns. */
  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama", "llama-tied"})
  void expectedValuesBelongToTheirModels(String name) throws IOException, URISyntaxException {
    try (Weights weights = Weights.open(huggingFace(name));
        SafetensorsFile expected =
            SafetensorsFile.open(huggingFace(name).resolve("expected.safetensors"))) {
      String output =
          switch (name) {
            case "gpt2" -> "transformer.wte.weight";
            case "llama" -> "lm_head.weight";
            default -> "model.embed_tokens.weight";
          };
      Tensor basis = weights.tensor(output).to(DType.FLOAT64);
      Tensor logits = expected.tensor("logits").to(DType.FLOAT64).reshape(-1, 96);
      double[][] columns = orthonormal(basis);
      for (double[] row : rows(logits)) {
        double[] rest = row.clone();
        for (double[] column : columns) {
          subtract(rest, column, dot(row, column));
        }
        assertTrue(dot(rest, rest) < 1e-8 * dot(row, row), "not of the span of " + output);
      }
    }
  }

  /** Gram and Schmidt's basis of a matrix' columns. */
  private static double[][] orthonormal(Tensor matrix) {
    double[][] columns = rows(matrix.t());
    for (int i = 0; i < columns.length; i++) {
      for (int j = 0; j < i; j++) {
        subtract(columns[i], columns[j], dot(columns[i], columns[j]));
      }
      double norm = Math.sqrt(dot(columns[i], columns[i]));
      for (int k = 0; k < columns[i].length; k++) {
        columns[i][k] /= norm;
      }
    }
    return columns;
  }

  private static double[][] rows(Tensor matrix) {
    double[][] rows = new double[(int) matrix.size(0)][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = matrix.select(0, i).toDoubles();
    }
    return rows;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static void subtract(double[] from, double[] direction, double times) {
    for (int i = 0; i < from.length; i++) {
      from[i] -= times * direction[i];
    }
  }

  private String refusal(String index) throws IOException {
    Files.writeString(directory.resolve(INDEX), index.replace('\'', '"'));
    FormatException e = assertThrows(FormatException.class, () -> Weights.open(directory));
    assertTrue(e.getMessage().startsWith(directory + File.separator), e.getMessage());
    return e.getMessage().substring(directory.toString().length() + 1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../secret.safetensors",
        "/etc/secret.safetensors",
        "sub/secret.safetensors",
        "..\\\\secret.safetensors",
        "C:secret.safetensors",
        "..",
        "",
        ".safetensors/..",
        "model.bin",
        "a\\u0000.safetensors",
        "a\\n.safetensors"
      })
  void shardsOutsideTheDirectoryAreRefused(String shard) throws IOException {
    String message = refusal("{'weight_map':{'a':'" + shard + "'}}");
    assertTrue(message.startsWith(INDEX + ": weight_map of tensor 'a' names the file '"), message);
    assertTrue(
        message.endsWith(
            "expected a plain name that ends in .safetensors, in the same " + "directory"),
        message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          []                       | the index is not a JSON object: expected '{', found byte 0x5b
          {                        | the index is not valid JSON
          {}                       | the index has no weight_map
          {'weight_map':3}         | weight_map holds 3: expected an object
          {'weight_map':{'a':3}}   | weight_map of tensor 'a' holds 3: expected a string
          {'weight_map':{'a':'x.safetensors','a':'x.safetensors'}} | weight_map has the key 'a' twice
          {'weight_map':{},'weight_map':{}} | the index has the key 'weight_map' twice
          """)
  void unsoundIndexesAreRefused(String index, String expected) throws IOException {
    String message = refusal(index);
    assertTrue(message.startsWith(INDEX + ": " + expected), message);
  }

  @Test
  void shardsMustExistAndHoldWhatTheIndexSays() throws IOException {
    Weights.save(directory, five(), Map.of(), Map.of(), 80);
    String first = "model-00001-of-00003.safetensors";
    assertEquals(
        INDEX + ": places tensor 'e' in " + first + ", which does not hold it",
        refusal("{'weight_map':{'a':'" + first + "','e':'" + first + "'}}"));
    Files.write(directory.resolve(first), new byte[3]);
    assertTrue(refusal("{'weight_map':{'a':'" + first + "'}}").startsWith(first + ": holds 3"));
    Files.delete(directory.resolve(first));
    NoSuchFileException missing =
        assertThrows(NoSuchFileException.class, () -> Weights.open(directory));
    assertEquals(directory.resolve(first).toString(), missing.getMessage());
  }

  @Test
  void anIndexOfNothingHoldsNothing() throws IOException {
    Files.writeString(directory.resolve(INDEX), "{\"metadata\": {}, \"weight_map\": {}}");
    assertHolds(Map.of(), directory);
  }

  @Test
  void namesWhatIsMissing() throws IOException {
    FormatException none = assertThrows(FormatException.class, () -> Weights.open(directory));
    assertEquals(
        directory + ": holds no weights: expected model.safetensors or " + INDEX,
        none.getMessage());
    Weights.save(directory, five(), Map.of());
    try (Weights weights = Weights.open(directory)) {
      FormatException e = assertThrows(FormatException.class, () -> weights.tensor("z"));
      assertEquals(
          "no tensor 'z' among the 5 of [" + directory.resolve("model.safetensors") + "]",
          e.getMessage());
    }
  }

  private static Map<String, byte[]> companions(String text) {
    return Map.of(
        "config.json", text.getBytes(UTF_8), "tokenizer.json", (text + "!").getBytes(UTF_8));
  }

  @Test
  void companionsAreWrittenWithTheWeights() throws IOException {
    Map<String, Tensor> tensors = five();
    Weights.save(directory, tensors, Map.of(), companions("one"), 1000);
    assertHolds(tensors, directory);
    assertEquals(Set.of("config.json", "tokenizer.json", "model.safetensors"), files());
    assertEquals("one", Files.readString(directory.resolve("config.json")));
    assertEquals("one!", Files.readString(directory.resolve("tokenizer.json")));
    for (long limit : new long[] {80, 80, 100, 1000}) { // between one layout and the other
      Map<String, Tensor> others = five();
      Weights.save(directory, others, Map.of(), companions("limit " + limit), limit);
      assertHolds(others, directory);
      assertEquals("limit " + limit, Files.readString(directory.resolve("config.json")));
    }
  }

  /** Wherever a save breaks off, what can be read then is the old model or the new one. */
  @ParameterizedTest
  @CsvSource({"1000,1000", "1000,80", "80,1000", "80,80", "80,40", "40,80"})
  void savesThatBreakOffNeverMixModels(long before, long after) throws IOException {
    for (String text : List.of("old", "new")) { // companions stay the same, or change
      int steps = 0;
      boolean whole = false;
      while (!whole) {
        FileTree.delete(directory);
        Map<String, Tensor> old = five();
        Map<String, Tensor> fresh = five();
        Weights.save(directory, old, Map.of(), companions("old"), before);
        whole = saveUpTo(steps++, fresh, companions(text), after);
        boolean none =
            !Files.exists(directory.resolve("model.safetensors"))
                && !Files.exists(directory.resolve(INDEX));
        if (!none) {
          boolean isNew = sameAs(fresh);
          assertHolds(isNew ? fresh : old, directory);
          String config = isNew ? text : "old";
          assertEquals(config, Files.readString(directory.resolve("config.json")));
          assertEquals(config + "!", Files.readString(directory.resolve("tokenizer.json")));
        }
        boolean sameNames = after == 80 && before == 80;
        assertTrue(!none || !text.equals("old") || sameNames, "nothing had to be removed");
        assertTrue(files().stream().noneMatch(name -> name.endsWith(".tmp")), "" + files());
      }
      assertTrue(steps > (text.equals("old") ? 1 : 4), steps + " steps");
    }
  }

  private boolean sameAs(Map<String, Tensor> tensors) throws IOException {
    try (Weights weights = Weights.open(directory)) {
      return weights.tensor("a").sameAs(tensors.get("a"));
    }
  }

  /** Saves, ending before the change of this number; yields whether there were fewer. */
  private boolean saveUpTo(
      int change, Map<String, Tensor> tensors, Map<String, byte[]> companions, long limit)
      throws IOException {
    int[] changes = {0};
    try (Replacement replacement =
        new Replacement(
            directory,
            path -> {
              if (changes[0]++ == change) {
                throw new IOException("broken off before " + path);
              }
            })) {
      Weights.save(replacement, tensors, Map.of(), companions, limit);
      return true;
    } catch (IOException e) {
      assertTrue(e.getMessage().startsWith("broken off before"), e.getMessage());
      return false;
    }
  }

  @Test
  void equalCompanionsLeaveTheOldWeightsInPlaceUntilTheNewOnesAre() throws IOException {
    Map<String, Tensor> old = five();
    Weights.save(directory, old, Map.of(), companions("same"), 1000);
    Map<String, Tensor> released = five();
    released.get("c").close();
    assertThrows(
        IllegalArgumentException.class,
        () -> Weights.save(directory, released, Map.of(), companions("new"), 1000));
    assertHolds(old, directory);
    assertEquals("same", Files.readString(directory.resolve("config.json")));
    assertEquals(3, files().size());
  }

  @Test
  void limitsAndTensorsAreChecked() {
    Map<String, Tensor> tensors = five();
    assertThrows(
        IllegalArgumentException.class,
        () -> Weights.save(directory, tensors, Map.of(), Map.of(), 0));
    tensors.get("c").close();
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> Weights.save(directory, tensors, Map.of(), Map.of(), 80));
    assertEquals("tensor 'c' was released: it cannot be written", e.getMessage());
    assertEquals(0, directory.toFile().list().length);
  }
}
