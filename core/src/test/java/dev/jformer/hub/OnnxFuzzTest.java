package dev.jformer.hub;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import dev.jformer.io.FileTree;
import dev.jformer.model.Encoder;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Mutations;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Damaged ONNX files are refused in a line, or the model works: bytes are changed, or fields of the
 * messages are removed, repeated, exchanged.
 */
class OnnxFuzzTest {
  private static final AtomicInteger TRIED = new AtomicInteger();
  private static final AtomicInteger WORKED = new AtomicInteger();
  private static final long[] NUMBERS = {
    0, 1, -1, 2, 5, 8, 16, 127, 1 << 20, Integer.MAX_VALUE, 1L << 31, Long.MAX_VALUE, Long.MIN_VALUE
  };

  private static Path folder;
  private static List<byte[]> files;

  @BeforeContainer
  static void create() throws IOException {
    folder = Files.createTempDirectory("jformer-fuzz");
    Path given = BertTest.MODELS.resolve("bert-onnx");
    Files.copy(given.resolve("tokenizer.json"), folder.resolve("tokenizer.json"));
    files =
        List.of(
            Files.readAllBytes(given.resolve("model.onnx")),
            Files.readAllBytes(given.resolve("dynamo.onnx")),
            Files.readAllBytes(BertTest.MODELS.resolve("bert-onnx-int8/unsigned.onnx")));
  }

  @AfterContainer
  static void clean() throws IOException {
    FileTree.delete(folder);
    System.out.println("OnnxFuzzTest: " + WORKED + " of " + TRIED + " damaged files worked");
  }

  @Provide
  Arbitrary<byte[]> bytes() {
    return Mutations.of(files);
  }

  @Provide
  Arbitrary<byte[]> messages() {
    return Arbitraries.longs()
        .map(
            seed -> {
              Random random = new Random(seed);
              byte[] file = files.get(random.nextInt(files.size()));
              try {
                for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
                  file = changed(file, random, 0).toByteArray();
                }
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
              return file;
            });
  }

  /** The message with one change, in it or in a message within. */
  private static UnknownFieldSet changed(byte[] content, Random random, int depth)
      throws InvalidProtocolBufferException {
    UnknownFieldSet message = UnknownFieldSet.parseFrom(content);
    List<Integer> numbers = List.copyOf(message.asMap().keySet());
    if (numbers.isEmpty()) {
      return message;
    }
    // The graph is one field of nine in a model, and nearly all of the file.
    int number = numbers.get(random.nextInt(numbers.size()));
    if (depth == 0 && random.nextInt(20) > 0) {
      number = 7;
    }
    UnknownFieldSet.Field field = message.getField(number);
    UnknownFieldSet.Field.Builder made = UnknownFieldSet.Field.newBuilder();
    List<ByteString> texts = new ArrayList<>(field.getLengthDelimitedList());
    List<Long> integers = new ArrayList<>(field.getVarintList());
    List<Integer> words = new ArrayList<>(field.getFixed32List());
    if (!texts.isEmpty()) {
      int at = random.nextInt(texts.size());
      byte[] one = texts.get(at).toByteArray();
      boolean into = depth < 4 && (depth == 0 || random.nextInt(8) > 0);
      ByteString within = into ? within(one, random, depth) : null;
      if (within != null) {
        texts.set(at, within);
      } else {
        switch (random.nextInt(6)) {
          case 0 -> texts.remove(at);
          case 1 -> texts.add(texts.get(at));
          case 2 -> texts.set(at, texts.get(random.nextInt(texts.size())));
          case 3 -> texts.set(at, ByteString.EMPTY);
          case 4 -> texts.set(at, texts.get(at).concat(ByteString.copyFromUtf8("\n\u0000é")));
          default -> texts.clear();
        }
      }
    }
    if (!integers.isEmpty()) {
      int at = random.nextInt(integers.size());
      integers.set(at, NUMBERS[random.nextInt(NUMBERS.length)]);
      if (random.nextInt(4) == 0) {
        integers.remove(at);
      }
    }
    if (!words.isEmpty()) {
      words.set(0, Float.floatToIntBits(random.nextBoolean() ? Float.NaN : -1e30f));
    }
    texts.forEach(made::addLengthDelimited);
    integers.forEach(made::addVarint);
    words.forEach(made::addFixed32);
    field.getFixed64List().forEach(made::addFixed64);
    return message.toBuilder().clearField(number).mergeField(number, made.build()).build();
  }

  /** A message within, changed; null if the bytes are none. */
  private static ByteString within(byte[] content, Random random, int depth) {
    try {
      return changed(content, random, depth + 1).toByteString();
    } catch (InvalidProtocolBufferException e) {
      return null;
    }
  }

  @Property
  void damagedBytesAreReadOrRefused(@ForAll("bytes") byte[] content) {
    check(content);
  }

  @Property
  void damagedMessagesAreReadOrRefused(@ForAll("messages") byte[] content) {
    check(content);
  }

  private static void check(byte[] content) {
    Path file = folder.resolve("model.onnx");
    Mutations.check(
        file.toString(), // a refusal names it, an accident does not
        () -> {
          TRIED.incrementAndGet();
          Files.deleteIfExists(file);
          Files.write(file, content);
          try (Scope scope = Scope.open();
              Encoder model = (Encoder) Models.load(file)) {
            model.hidden(Tensor.of(new long[] {1, 2, 3}, 1, 3), null).toFloats();
            WORKED.incrementAndGet();
          }
        },
        Exception.class);
  }
}
