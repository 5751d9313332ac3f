package dev.jformer.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damages a sound file in thousands of ways. Whether each result is still sound is decided a second
 * time by a plain reading of the specification in this test, and both must agree; a sound file's
 * tensors must have exactly the bytes that the file holds for them. Repeat a failure with {@code
 * -Djformer.test.seed}.
 */
class SafetensorsFuzzTest {
  private static final int ROUNDS = Integer.getInteger("jqwik.tries.default", 4_000);
  private static final Map<String, Integer> WIDTHS =
      Map.ofEntries(
          Map.entry("BOOL", 1),
          Map.entry("U8", 1),
          Map.entry("I8", 1),
          Map.entry("U16", 2),
          Map.entry("I16", 2),
          Map.entry("F16", 2),
          Map.entry("BF16", 2),
          Map.entry("I32", 4),
          Map.entry("F32", 4),
          Map.entry("F64", 8),
          Map.entry("I64", 8));
  private static final String[] FRAGMENTS = {
    "0", "1", "8", "-1", "9223372036854775807", "18446744073709551616", "1e9", "\"", "[", "]", "{",
    "}", ",", ":", "null", "true", "\"F32\"", "\"BOOL\"", "\"U8\"", "\"F8_E4M3\"", "[0]", "[4,2]",
    "\"shape\":", "\"data_offsets\":[0,24]", "\\ud800", " ", "\u0000", "4294967296"
  };
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  @TempDir Path directory;

  @Test
  void damagedFilesAreReadAsTheyAreOrRefused() throws IOException {
    long seed = Long.getLong("jformer.test.seed", new Random().nextLong());
    System.out.println("SafetensorsFuzzTest: -Djformer.test.seed=" + seed);
    Random random = new Random(seed);
    byte[] sound = soundFile();
    check(sound, "undamaged");
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      byte[] damaged = sound;
      for (int damages = 1 + random.nextInt(3); damages > 0; damages--) {
        damaged = damage(damaged, random);
      }
      refused += check(damaged, "seed " + seed + ", round " + round) ? 0 : 1;
    }
    assertTrue(refused > ROUNDS / 4 && refused < ROUNDS, "refused " + refused + " of " + ROUNDS);
  }

  private byte[] soundFile() throws IOException {
    Path path = directory.resolve("sound.safetensors");
    Map<String, Tensor> tensors = new HashMap<>();
    try (Scope scope = Scope.open()) {
      tensors.put("weight", Tensor.randn(3, 2));
      tensors.put("half", Tensor.randn(5).to(DType.BFLOAT16));
      tensors.put("steps", Tensor.arange(0, 3));
      tensors.put("mask", Tensor.of(new boolean[] {true, false, true}, 3));
      tensors.put("none", Tensor.empty(DType.FLOAT32, 0, 4));
      tensors.put("scalar", Tensor.scalar(2));
      SafetensorsFile.write(path, tensors, Map.of("format", "pt"));
    }
    return Files.readAllBytes(path);
  }

  private static byte[] damage(byte[] file, Random random) {
    int headerEnd = headerEnd(file);
    return switch (random.nextInt(8)) {
      case 0 -> flip(file, random.nextInt(Math.max(1, file.length)), random);
      case 1 -> flip(file, Math.min(file.length - 1, 8 + random.nextInt(headerEnd)), random);
      case 2 -> Arrays.copyOf(file, random.nextInt(file.length + 20));
      case 3 -> splice(file, random);
      case 4 -> headerLength(file, random);
      case 5 -> dataByte(file, headerEnd, random);
      default -> headerEdit(file, headerEnd, random);
    };
  }

  private static int headerEnd(byte[] file) {
    long length = file.length < 8 ? 0 : RawFile.headerBytes(file);
    return (int) Math.max(1, Math.min(Math.max(0, file.length - 8), Math.max(0, length)));
  }

  private static byte[] flip(byte[] file, int at, Random random) {
    byte[] flipped = file.clone();
    if (at >= 0 && at < file.length) {
      flipped[at] ^= (byte) (1 << random.nextInt(8));
    }
    return flipped;
  }

  /** Copies a stretch of the file over, or into, another place. */
  private static byte[] splice(byte[] file, Random random) {
    int from = random.nextInt(file.length + 1);
    int length = random.nextInt(Math.min(64, file.length - from) + 1);
    int to = random.nextInt(file.length + 1);
    int dropped = random.nextBoolean() ? Math.min(length, file.length - to) : 0;
    return join(
        Arrays.copyOf(file, to),
        Arrays.copyOfRange(file, from, from + length),
        Arrays.copyOfRange(file, to + dropped, file.length));
  }

  private static byte[] headerLength(byte[] file, Random random) {
    byte[] changed = Arrays.copyOf(file, Math.max(8, file.length));
    long[] lengths = {
      0, 1, file.length, file.length - 8, 1L << 32, Long.MAX_VALUE, -1, random.nextInt(1000)
    };
    ByteBuffer.wrap(changed)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(0, lengths[random.nextInt(lengths.length)]);
    return changed;
  }

  private static byte[] dataByte(byte[] file, int headerEnd, Random random) {
    int start = Math.min(file.length, 8 + headerEnd);
    byte[] changed = file.clone();
    if (start < file.length) {
      changed[start + random.nextInt(file.length - start)] = (byte) random.nextInt(256);
    }
    return changed;
  }

  /** Replaces a number or a stretch of the header, and usually mends its length. */
  private static byte[] headerEdit(byte[] file, int headerEnd, Random random) {
    if (file.length < 9) {
      return file;
    }
    String header = new String(file, 8, headerEnd, StandardCharsets.ISO_8859_1);
    String edited;
    if (random.nextInt(3) > 0) {
      String[] parts = header.split("(?<=\\D)(?=\\d)|(?<=\\d)(?=\\D)", -1);
      int part = random.nextInt(parts.length);
      while (part < parts.length - 1 && !parts[part].matches("\\d+")) {
        part++;
      }
      parts[part] = Integer.toString(random.nextInt(100));
      edited = String.join("", parts);
    } else {
      int at = random.nextInt(header.length() + 1);
      int end = Math.min(header.length(), at + random.nextInt(4));
      String fragment = FRAGMENTS[random.nextInt(FRAGMENTS.length)];
      edited = header.substring(0, at) + fragment + header.substring(end);
    }
    byte[] bytes = edited.getBytes(StandardCharsets.ISO_8859_1);
    byte[] start = Arrays.copyOf(file, 8);
    if (random.nextInt(10) > 0) {
      ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).putLong(bytes.length);
    }
    return join(start, bytes, Arrays.copyOfRange(file, 8 + headerEnd, file.length));
  }

  private static byte[] join(byte[]... parts) {
    ByteBuffer joined = ByteBuffer.allocate(Arrays.stream(parts).mapToInt(p -> p.length).sum());
    for (byte[] part : parts) {
      joined.put(part);
    }
    return joined.array();
  }

  /** Reads a file, compares what comes out with the specification, returns whether it is sound. */
  private boolean check(byte[] content, String which) throws IOException {
    Path path = RawFile.write(directory, "damaged.safetensors", content);
    boolean read = false;
    try (Scope scope = Scope.open();
        SafetensorsFile file = SafetensorsFile.open(path)) {
      for (String name : file.names()) {
        Tensor tensor = file.tensor(name);
        assertEquals(file.shape(name), tensor.shape(), which);
        assertArrayEquals(bytes(RawFile.data(content, name)), tensor.toBytes(), which);
      }
      read = true;
    } catch (FormatException e) {
      assertTrue(e.getMessage().startsWith(path + ": "), which + ": " + e.getMessage());
    } catch (RuntimeException | IOException e) {
      fail(which, e);
    }
    assertEquals(isSound(content), read, which);
    Files.delete(path); // overwriting it would wait for the disk each time
    return read;
  }

  private static byte[] bytes(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }

  /** The specification, read naively: every byte of the data belongs to exactly one tensor. */
  private static boolean isSound(byte[] file) {
    if (file.length < 8
        || RawFile.headerBytes(file) < 1
        || RawFile.headerBytes(file) > file.length - 8) {
      return false;
    }
    int headerBytes = (int) RawFile.headerBytes(file);
    JsonNode header;
    try {
      ByteBuffer json = ByteBuffer.wrap(file, 8, headerBytes);
      header = JSON.readTree(StandardCharsets.UTF_8.newDecoder().decode(json).toString());
    } catch (CharacterCodingException | JsonProcessingException e) {
      return false;
    }
    int dataStart = 8 + headerBytes;
    int[] owners = new int[file.length - dataStart];
    if (file[8] != '{' || !header.isObject()) {
      return false;
    }
    for (Map.Entry<String, JsonNode> entry : header.properties()) {
      if (entry.getKey().matches("(?s).*\\p{Cs}.*")) {
        return false;
      }
      boolean sound =
          entry.getKey().equals("__metadata__")
              ? isMetadata(entry.getValue())
              : isTensor(entry.getValue(), owners, file, dataStart);
      if (!sound) {
        return false;
      }
    }
    // An empty tensor has to lie between others, not within one: see isTensor.
    for (JsonNode tensor : header) {
      if (tensor.path("data_offsets").size() == 2) {
        int begin = tensor.get("data_offsets").get(0).asInt();
        int end = tensor.get("data_offsets").get(1).asInt();
        if (begin == end && isInside(header, begin)) {
          return false;
        }
      }
    }
    return Arrays.stream(owners).allMatch(count -> count == 1);
  }

  private static boolean isInside(JsonNode header, int offset) {
    for (JsonNode tensor : header) {
      if (tensor.path("data_offsets").size() == 2
          && tensor.get("data_offsets").get(0).asInt() < offset
          && tensor.get("data_offsets").get(1).asInt() > offset) {
        return true;
      }
    }
    return false;
  }

  private static boolean isMetadata(JsonNode metadata) {
    if (!metadata.isObject()) {
      return false;
    }
    for (Map.Entry<String, JsonNode> item : metadata.properties()) {
      String text = item.getKey() + item.getValue().asText();
      if (!item.getValue().isTextual() || text.matches("(?s).*\\p{Cs}.*")) {
        return false;
      }
    }
    return true;
  }

  private static boolean isTensor(JsonNode tensor, int[] owners, byte[] file, int dataStart) {
    JsonNode shape = tensor.path("shape");
    JsonNode offsets = tensor.path("data_offsets");
    Integer width = WIDTHS.get(tensor.path("dtype").asText());
    if (!tensor.path("dtype").isTextual() || width == null) {
      return false;
    }
    if (!isSizes(shape) || !isSizes(offsets) || offsets.size() != 2 || shape.size() > 64) {
      return false;
    }
    BigInteger bytes = BigInteger.valueOf(width);
    BigInteger nonzero = bytes;
    for (JsonNode size : shape) {
      bytes = bytes.multiply(size.bigIntegerValue());
      nonzero = nonzero.multiply(size.bigIntegerValue().max(BigInteger.ONE));
    }
    long begin = offsets.get(0).asLong();
    long end = offsets.get(1).asLong();
    if (begin > end
        || end > owners.length
        || nonzero.bitLength() > 63
        || !bytes.equals(BigInteger.valueOf(end - begin))) {
      return false;
    }
    boolean bool = tensor.get("dtype").asText().equals("BOOL");
    for (int i = (int) begin; i < end; i++) {
      owners[i]++;
      byte value = file[dataStart + i];
      if (bool && value != 0 && value != 1) {
        return false;
      }
    }
    return true;
  }

  private static boolean isSizes(JsonNode array) {
    if (!array.isArray()) {
      return false;
    }
    for (JsonNode size : array) {
      if (!size.isIntegralNumber() || !size.canConvertToLong() || size.asLong() < 0) {
        return false;
      }
    }
    return true;
  }
}
