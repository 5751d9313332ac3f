package dev.jformer.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Engine;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsFileTest {
  private static final String ODD_NAME = "näme with \"quotes\", \n and 🙂";

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

  /** The tensors of tools/fixtures/make_safetensors.py. */
  private static Map<String, Tensor> pythonTensors() {
    Map<String, Tensor> tensors = new HashMap<>();
    tensors.put(
        "f64", Tensor.of(new double[] {1.5, -2.25, 1e300, 0.1, -0.0, Double.MIN_VALUE}, 2, 3));
    tensors.put("f32", Tensor.of(new float[] {1.5f, -2.25f, 3e38f, Float.MIN_VALUE}, 2, 2, 1));
    tensors.put("f16", Tensor.of(new float[] {1.5f, -2.25f, 65504f}, 3).to(DType.FLOAT16));
    tensors.put("bf16", Tensor.of(new float[] {1.5f, -2.25f, 3e38f}, 3).to(DType.BFLOAT16));
    tensors.put("i64", Tensor.of(new long[] {Long.MIN_VALUE, Long.MAX_VALUE, 7}, 3));
    tensors.put("i32", Tensor.of(new int[] {Integer.MIN_VALUE, Integer.MAX_VALUE}, 1, 2));
    tensors.put("i16", Tensor.of(new int[] {-32768, 32767, 7}, 3).to(DType.INT16));
    tensors.put("u16", Tensor.of(new int[] {0, 65535, 7}, 3).to(DType.UINT16));
    tensors.put("i8", Tensor.of(new byte[] {-128, 127, 7}, 3));
    tensors.put("u8", Tensor.of(new int[] {0, 255, 7}, 3).to(DType.UINT8));
    tensors.put("bool", Tensor.of(new boolean[] {true, false, true}, 3, 1));
    tensors.put("scalar", Tensor.scalar(42));
    tensors.put("empty", Tensor.empty(DType.FLOAT32, 3, 0, 2));
    tensors.put(ODD_NAME, Tensor.of(new float[] {1}, 1));
    return tensors;
  }

  private static byte[] pythonFile() throws IOException {
    try (var in = SafetensorsFileTest.class.getResourceAsStream("python.safetensors")) {
      return in.readAllBytes();
    }
  }

  @Test
  void readsWhatTheReferenceImplementationWrote() throws IOException {
    Path path = RawFile.write(directory, "python.safetensors", pythonFile());
    Map<String, Tensor> expected = pythonTensors();
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertEquals(expected.keySet(), file.names());
      assertEquals(Map.of("format", "pt"), file.metadata());
      assertEquals(path, file.path());
      expected.forEach(
          (name, tensor) -> {
            assertEquals(tensor.dtype(), file.dtype(name), name);
            assertEquals(tensor.shape(), file.shape(name), name);
            assertEquals(tensor.dtype(), file.tensor(name).dtype(), name);
            assertEquals(tensor.shape(), file.tensor(name).shape(), name);
            assertArrayEquals(tensor.toBytes(), file.tensor(name).toBytes(), name);
          });
    }
  }

  @Test
  void writesTheReferenceImplementationsBytesWhateverTheOrder() throws IOException {
    List<String> names = new ArrayList<>(pythonTensors().keySet());
    Collections.shuffle(names, new java.util.Random(1));
    Map<String, Tensor> shuffled = new LinkedHashMap<>();
    names.forEach(name -> shuffled.put(name, pythonTensors().get(name)));
    Path path = directory.resolve("ours.safetensors");
    SafetensorsFile.write(path, shuffled, Map.of("format", "pt"));
    assertEquals(
        new String(pythonFile(), StandardCharsets.ISO_8859_1),
        Files.readString(path, StandardCharsets.ISO_8859_1));
  }

  @Test
  void laysBytesOutAsTheSpecificationSays() throws IOException {
    Path path = directory.resolve("layout.safetensors");
    SafetensorsFile.write(path, pythonTensors(), Map.of("b", "2", "a", "1"));
    byte[] file = Files.readAllBytes(path);
    assertEquals(0, RawFile.headerBytes(file) % 8);
    JsonNode header = RawFile.header(file);
    assertEquals("{\"a\":\"1\",\"b\":\"2\"}", header.get("__metadata__").toString());
    assertEquals("F64", header.get("f64").get("dtype").asText());
    assertEquals("[2,3]", header.get("f64").get("shape").toString());
    assertEquals("[]", header.get("scalar").get("shape").toString());
    assertEquals("[3,0,2]", header.get("empty").get("shape").toString());
    ByteBuffer doubles = RawFile.data(file, "f64");
    for (double expected : new double[] {1.5, -2.25, 1e300, 0.1, -0.0, Double.MIN_VALUE}) {
      assertEquals(expected, doubles.getDouble());
    }
    ByteBuffer longs = RawFile.data(file, "i64");
    assertEquals(Long.MIN_VALUE, longs.getLong());
    assertEquals(Long.MAX_VALUE, longs.getLong());
    ByteBuffer brainFloats = RawFile.data(file, "bf16");
    assertEquals(0x3FC0, brainFloats.getShort());
    assertEquals((short) 0xC010, brainFloats.getShort());
    ByteBuffer halves = RawFile.data(file, "f16");
    assertEquals(0x3E00, halves.getShort());
    assertEquals((short) 0xC080, halves.getShort());
    assertEquals(0x7BFF, halves.getShort());
    assertEquals(ByteBuffer.wrap(new byte[] {1, 0, 1}), RawFile.data(file, "bool"));
    assertEquals(ByteBuffer.wrap(new byte[] {0, -1, 7}), RawFile.data(file, "u8"));
    for (String name : pythonTensors().keySet()) {
      int begin = header.get(name).get("data_offsets").get(0).asInt();
      assertEquals(0, begin % pythonTensors().get(name).dtype().bytes(), name);
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void everyTypeAndShapeComesBack(DType dtype) throws IOException {
    long[][] shapes = {{}, {1}, {0}, {7}, {2, 0, 3}, {5, 3}, {1, 1, 1, 2}, {2, 3, 4, 1, 2}};
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (long[] shape : shapes) {
      Tensor random = Tensor.rand(shape).mul(dtype == DType.BOOL ? 2 : 100);
      Tensor values = dtype == DType.BOOL ? random.to(DType.UINT8).to(dtype) : random.to(dtype);
      tensors.put("shape" + Arrays.toString(shape), values);
    }
    Path path = directory.resolve("types.safetensors");
    SafetensorsFile.write(path, tensors, Map.of());
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertEquals(tensors.keySet(), file.names());
      tensors.forEach(
          (name, tensor) -> {
            Tensor read = file.tensor(name);
            assertEquals(dtype, read.dtype());
            assertEquals(tensor.shape(), read.shape());
            assertArrayEquals(tensor.toBytes(), read.toBytes(), name);
          });
    }
  }

  @Test
  void noTensorsAreAFileToo() throws IOException {
    Path path = directory.resolve("none.safetensors");
    SafetensorsFile.write(path, Map.of(), Map.of());
    assertArrayEquals(RawFile.of("{}      "), Files.readAllBytes(path));
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertTrue(file.names().isEmpty());
    }
  }

  @Test
  void layoutInMemoryDoesNotMatter() throws IOException {
    Tensor base = Tensor.arange(0, 24).reshape(2, 3, 4);
    Map<String, Tensor> tensors =
        Map.of(
            "transposed", base.transpose(0, 2),
            "narrowed", base.narrow(2, 1, 2),
            "expanded", Tensor.of(new long[] {1, 2}, 2, 1).expand(2, 3),
            "trained", Tensor.ones(2, 2).requiresGrad(true));
    Path path = directory.resolve("strided.safetensors");
    SafetensorsFile.write(path, tensors, Map.of());
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertArrayEquals(
          new long[] {
            0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23
          },
          file.tensor("transposed").toLongs());
      assertArrayEquals(
          new long[] {1, 2, 5, 6, 9, 10, 13, 14, 17, 18, 21, 22},
          file.tensor("narrowed").toLongs());
      assertArrayEquals(new long[] {1, 1, 1, 2, 2, 2}, file.tensor("expanded").toLongs());
      assertArrayEquals(new float[] {1, 1, 1, 1}, file.tensor("trained").toFloats());
      assertFalse(file.tensor("trained").requiresGrad());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 7, 8, 100, 4096})
  void sizeOfThePiecesDoesNotMatter(long chunkBytes) throws IOException {
    Map<String, Tensor> tensors = Map.of("a", Tensor.randn(13, 11), "b", Tensor.arange(0, 97));
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    new SafetensorsWriter(Channels.newChannel(whole)).write(tensors, Map.of());
    ByteArrayOutputStream pieces = new ByteArrayOutputStream();
    new SafetensorsWriter(Channels.newChannel(pieces), chunkBytes).write(tensors, Map.of());
    assertArrayEquals(whole.toByteArray(), pieces.toByteArray());
    Path path = RawFile.write(directory, "pieces.safetensors", pieces.toByteArray());
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertTrue(file.tensor("a").sameAs(tensors.get("a")));
      assertTrue(file.tensor("b").sameAs(tensors.get("b")));
    }
  }

  @Test
  void unalignedTensorsAreCopied() throws IOException {
    // Data that starts at 8 + an odd length, and tensors that start at odd offsets behind a byte.
    String tensors =
        "'i':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},"
            + "'f':{'dtype':'F32','shape':[2],'data_offsets':[1,9]},"
            + "'d':{'dtype':'F64','shape':[],'data_offsets':[9,17]}";
    for (int padding = 0; padding < 8; padding++) {
      String header = ("{" + tensors + "}").replace('\'', '"') + " ".repeat(padding);
      byte[] data = new byte[17];
      ByteBuffer values = ByteBuffer.wrap(data).order(java.nio.ByteOrder.LITTLE_ENDIAN);
      values.put((byte) 9).putFloat(1.25f).putFloat(-3f).putDouble(Math.PI);
      Path path = RawFile.write(directory, "odd" + padding, RawFile.of(header, data));
      try (SafetensorsFile file = SafetensorsFile.open(path)) {
        assertEquals(9, file.tensor("i").itemLong());
        assertArrayEquals(new float[] {1.25f, -3f}, file.tensor("f").toFloats());
        assertEquals(Math.PI, file.tensor("d").item());
      }
    }
  }

  @Test
  void viewsShareTheMappingButNotTheFile() throws IOException {
    Path path = directory.resolve("shared.safetensors");
    SafetensorsFile.write(path, Map.of("a", Tensor.of(new float[] {1, 2}, 2)), Map.of());
    byte[] before = Files.readAllBytes(path);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      file.tensor("a").copy_(Tensor.of(new float[] {8, 9}, 2));
      assertArrayEquals(new float[] {8, 9}, file.tensor("a").toFloats());
    }
    assertArrayEquals(before, Files.readAllBytes(path));
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertArrayEquals(new float[] {1, 2}, file.tensor("a").toFloats());
    }
  }

  /** A file of zeros that takes no space on the disk. */
  private Path sparse(String name, long elements) throws IOException {
    String header =
        String.format(
            "{\"zeros\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[0,%d]}}",
            elements, 4 * elements);
    byte[] start = RawFile.of(header + " ".repeat(8 - header.length() % 8));
    Path path = RawFile.write(directory, name, start);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(start.length + 4 * elements);
    }
    return path;
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void openingReadsNothing() throws IOException {
    long bytes = 1L << 30;
    Path path = sparse("sparse.safetensors", bytes / 4);
    long before = Engine.residentBytes();
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      Tensor zeros = file.tensor("zeros");
      assertEquals(Shape.of(bytes / 4), zeros.shape());
      assertEquals(0, zeros.select(0, bytes / 4 - 1).item());
      long grown = Engine.residentBytes() - before;
      assertTrue(grown < bytes / 8, "resident memory grew by " + grown + " of " + bytes);
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void tensorsOutliveTheFileAndItsNameThenTheMappingGoes() throws IOException {
    Path path = directory.resolve("lives.safetensors");
    Tensor values = Tensor.randn(1000, 100);
    SafetensorsFile.write(path, Map.of("a", values), Map.of());
    Tensor kept;
    try (Scope inner = Scope.open();
        SafetensorsFile file = SafetensorsFile.open(path)) {
      kept = file.tensor("a").keep();
      file.tensor("a");
      file.close();
      assertThrows(IllegalStateException.class, () -> file.tensor("a"));
      assertEquals(Shape.of(1000, 100), file.shape("a"));
    }
    assertTrue(mappings().contains("lives.safetensors"));
    SafetensorsFile.write(path, Map.of("a", Tensor.zeros(3)), Map.of());
    assertTrue(kept.sameAs(values));
    Files.delete(path);
    assertTrue(kept.sameAs(values));
    kept.close();
    assertFalse(mappings().contains("lives.safetensors"));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void refusedFilesAreUnmapped() throws IOException {
    Path path = RawFile.write(directory, "refused.safetensors", RawFile.of("{} x"));
    assertThrows(FormatException.class, () -> SafetensorsFile.open(path));
    assertFalse(mappings().contains("refused.safetensors"));
  }

  private static String mappings() throws IOException {
    Path maps = Path.of("/proc/self/maps");
    Assumptions.assumeTrue(Files.isReadable(maps));
    return Files.readString(maps, StandardCharsets.ISO_8859_1);
  }

  @Test
  void readsFromSeveralThreads() throws Exception {
    Path path = directory.resolve("threads.safetensors");
    Map<String, Tensor> tensors = new HashMap<>();
    for (int i = 0; i < 20; i++) {
      tensors.put("t" + i, Tensor.full(i, DType.FLOAT32, 10));
    }
    SafetensorsFile.write(path, tensors, Map.of());
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
      List<Thread> threads = new ArrayList<>();
      for (int t = 0; t < 4; t++) {
        Thread thread =
            new Thread(
                () -> {
                  for (int i = 0; i < 400; i++) {
                    try (Scope mine = Scope.open()) {
                      assertEquals(i % 20, file.tensor("t" + i % 20).mean().item());
                    }
                  }
                });
        thread.setUncaughtExceptionHandler((where, failure) -> failures.add(failure));
        threads.add(thread);
        thread.start();
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(List.of(), failures);
    }
  }

  @Test
  @EnabledIfSystemProperty(named = "jformer.test.large", matches = "true")
  void moreThanTwoGigabytesInOneTensor() throws IOException {
    long elements = (1L << 29) + 1000;
    Path source = sparse("large.safetensors", elements);
    Path copy = directory.resolve("copy.safetensors");
    try (SafetensorsFile file = SafetensorsFile.open(source)) {
      Tensor zeros = file.tensor("zeros");
      zeros.narrow(0, elements - 1, 1).copy_(Tensor.scalar(5));
      SafetensorsFile.write(copy, Map.of("zeros", zeros), Map.of());
    }
    assertEquals(Files.size(source), Files.size(copy));
    try (SafetensorsFile file = SafetensorsFile.open(copy)) {
      Tensor zeros = file.tensor("zeros");
      assertEquals(0, zeros.select(0, elements - 2).item());
      assertEquals(5, zeros.select(0, elements - 1).item());
    }
  }

  @Test
  void refusesWhatCannotBeWritten() {
    Path path = directory.resolve("refused.safetensors");
    Tensor one = Tensor.ones(1);
    assertRefused("named __metadata__", path, Map.of("__metadata__", one), Map.of());
    assertRefused("surrogate", path, Map.of("a\ud800", one), Map.of());
    assertRefused("surrogate", path, Map.of("a", one), Map.of("k", "\udc00"));
    Tensor released = Tensor.ones(1);
    released.close();
    assertRefused("tensor 'gone' was released", path, Map.of("gone", released), Map.of());
    long[] shape = new long[65];
    Arrays.fill(shape, 1);
    assertRefused("65 dimensions", path, Map.of("a", one.view(shape)), Map.of());
    assertEquals(0, directory.toFile().list().length);
  }

  private static void assertRefused(
      String message, Path path, Map<String, Tensor> tensors, Map<String, String> metadata) {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> SafetensorsFile.write(path, tensors, metadata));
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void namesWhatIsMissing() throws IOException {
    Path path = directory.resolve("some.safetensors");
    assertThrows(NoSuchFileException.class, () -> SafetensorsFile.open(path));
    Path nowhere = directory.resolve("no/such.safetensors");
    assertThrows(
        NotDirectoryException.class, () -> SafetensorsFile.write(nowhere, Map.of(), Map.of()));
    SafetensorsFile.write(path, Map.of("a", Tensor.ones(1)), Map.of());
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      FormatException e = assertThrows(FormatException.class, () -> file.tensor("b"));
      assertEquals(path + ": has no tensor 'b' among its 1", e.getMessage());
    }
  }
}
