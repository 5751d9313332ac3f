package dev.jformer.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The header of a safetensors file: its tensors' types, shapes and places, and metadata.
 *
 * @param entries by name, in the order of the file's header
 * @param metadata free text by key
 */
record Header(Map<String, Entry> entries, Map<String, String> metadata) {
  private static final String METADATA = "__metadata__";
  private static final int ALIGNMENT = 8;

  /** libtorch's operators take no more. */
  private static final int MOST_DIMENSIONS = 64;

  private static final JsonFactory JSON = new JsonFactory();

  /**
   * One tensor.
   *
   * @param begin its first byte, counted from the end of the header
   * @param end its last byte plus one
   */
  record Entry(StoredType type, Shape shape, long begin, long end) {
    /** The entry of a tensor whose place in the file is not decided yet. */
    static Entry of(String name, Tensor tensor) {
      if (tensor.isClosed()) {
        throw new IllegalArgumentException(
            "tensor " + FormatException.quote(name) + " was released: it cannot be written");
      }
      StoredType type = StoredType.of(tensor.dtype());
      return new Entry(type, tensor.shape(), 0, size(type, tensor.shape()));
    }

    long bytes() {
      return end - begin;
    }
  }

  /**
   * Reads a header and checks that its tensors fill the data without overlap or gap.
   *
   * @param dataBytes how many bytes follow the header
   * @throws FormatException if any of it is wrong
   */
  static Header parse(ByteBuffer json, long dataBytes) {
    Header header = StrictJson.read(json, "the header", Header::read);
    header.entries.forEach((name, entry) -> checkSize(name, entry, dataBytes));
    header.checkTiling(dataBytes);
    return header;
  }

  private static Header read(StrictJson json) throws IOException {
    Map<String, Entry> entries = new LinkedHashMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    json.object(
        "the header",
        key -> {
          if (key.equals(METADATA)) {
            json.object(METADATA, k -> metadata.put(k, json.string(METADATA + "." + k)));
          } else {
            entries.put(key, readEntry(json, "tensor " + FormatException.quote(key)));
          }
        });
    return new Header(Collections.unmodifiableMap(entries), Collections.unmodifiableMap(metadata));
  }

  private static Entry readEntry(StrictJson json, String what) throws IOException {
    var field =
        new Object() {
          StoredType type;
          long[] shape;
          long[] offsets;
        };
    json.object(
        what,
        key -> {
          switch (key) {
            case "dtype" -> field.type = type(what, json.string(what + ": dtype"));
            case "shape" -> field.shape = json.sizes(what + ": shape", MOST_DIMENSIONS);
            case "data_offsets" -> field.offsets = json.sizes(what + ": data_offsets", 2);
            default -> json.skip(); // as the reference implementation does
          }
        });
    if (field.type == null || field.shape == null || field.offsets == null) {
      String missing =
          field.type == null ? "dtype" : field.shape == null ? "shape" : "data_offsets";
      throw new FormatException(what + " has no " + missing);
    }
    if (field.offsets.length != 2) {
      throw new FormatException(
          what
              + ": data_offsets "
              + Arrays.toString(field.offsets)
              + " must be two numbers: expected [begin, end]");
    }
    return new Entry(field.type, Shape.of(field.shape), field.offsets[0], field.offsets[1]);
  }

  private static StoredType type(String what, String name) {
    try {
      return StoredType.parse(name);
    } catch (FormatException e) {
      throw new FormatException(what + ": " + e.getMessage(), e);
    }
  }

  private static void checkSize(String name, Entry entry, long dataBytes) {
    String what = "tensor " + FormatException.quote(name) + ": ";
    String offsets = "data_offsets [" + entry.begin + ", " + entry.end + "]";
    if (entry.begin > entry.end) {
      throw new FormatException(what + offsets + " end before they begin");
    }
    if (entry.end > dataBytes) {
      throw new FormatException(
          what
              + offsets
              + " end past the file's "
              + dataBytes
              + " bytes of data: is it truncated?");
    }
    long expected;
    try {
      expected = size(entry.type, entry.shape);
    } catch (ArithmeticException e) {
      throw new FormatException(
          what + "shape " + entry.shape + " is larger than any file: expected < 2^63 bytes", e);
    }
    if (entry.bytes() != expected) {
      throw new FormatException(
          what
              + offsets
              + " hold "
              + entry.bytes()
              + " bytes: expected "
              + expected
              + " for "
              + entry.type
              + entry.shape);
    }
  }

  /** The size of a tensor; sizes whose product overflows are an error even if one of them is 0. */
  private static long size(StoredType type, Shape shape) {
    long bytes = type.dtype().bytes();
    boolean empty = false;
    for (long size : shape.toArray()) {
      empty |= size == 0;
      bytes = Math.multiplyExact(bytes, Math.max(1, size));
    }
    return empty ? 0 : bytes;
  }

  private void checkTiling(long dataBytes) {
    List<Map.Entry<String, Entry>> byOffset =
        entries.entrySet().stream()
            .sorted(
                Map.Entry.comparingByValue(
                    Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end)))
            .toList();
    long covered = 0;
    String previous = "the header";
    for (Map.Entry<String, Entry> next : byOffset) {
      String name = FormatException.quote(next.getKey());
      long begin = next.getValue().begin;
      if (begin != covered) {
        throw new FormatException(
            "tensor "
                + name
                + " begins at "
                + begin
                + " but "
                + previous
                + " ends at "
                + covered
                + ": "
                + (begin < covered ? "they overlap" : "the bytes between belong to no tensor"));
      }
      covered = next.getValue().end;
      previous = name;
    }
    if (covered != dataBytes) {
      throw new FormatException(
          (dataBytes - covered)
              + " bytes follow the last tensor, which ends at "
              + covered
              + ": expected the file to end there");
    }
  }

  /**
   * The header of a file that holds tensors of these types and shapes, laid out as the reference
   * implementation does: by falling element type, then by name.
   */
  static Header layOut(Map<String, Entry> sized, Map<String, String> metadata) {
    Comparator<Map.Entry<String, Entry>> byType =
        Map.Entry.comparingByValue(Comparator.comparing(Entry::type).reversed());
    Comparator<Map.Entry<String, Entry>> byName =
        Map.Entry.comparingByKey(
            Comparator.comparing(
                name -> name.getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned));
    Map<String, Entry> entries = new LinkedHashMap<>();
    long end = 0;
    for (Map.Entry<String, Entry> next :
        sized.entrySet().stream().sorted(byType.thenComparing(byName)).toList()) {
      Entry entry = next.getValue();
      checkUnicode("tensor name", next.getKey());
      if (next.getKey().equals(METADATA)) {
        throw new IllegalArgumentException(
            "a tensor cannot be named "
                + METADATA
                + ": the format reserves that name for metadata");
      }
      if (entry.shape.rank() > MOST_DIMENSIONS) {
        throw new IllegalArgumentException(
            "tensor "
                + FormatException.quote(next.getKey())
                + " has "
                + entry.shape.rank()
                + " dimensions: expected at most "
                + MOST_DIMENSIONS);
      }
      long begin = end;
      end = Math.addExact(begin, entry.bytes());
      entries.put(next.getKey(), new Entry(entry.type, entry.shape, begin, end));
    }
    metadata.forEach(
        (key, value) -> {
          checkUnicode("metadata key", key);
          checkUnicode("metadata value", value);
        });
    return new Header(entries, new TreeMap<>(metadata));
  }

  private static void checkUnicode(String what, String text) {
    if (!StrictJson.isUnicode(text)) {
      throw new IllegalArgumentException(
          what + " " + FormatException.quote(text) + " holds half a surrogate pair");
    }
  }

  /** The header's bytes: its length, then JSON padded so that the data starts aligned. */
  ByteBuffer toBytes() throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(text)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(METADATA);
        for (Map.Entry<String, String> item : metadata.entrySet()) {
          json.writeStringField(item.getKey(), item.getValue());
        }
        json.writeEndObject();
      }
      for (Map.Entry<String, Entry> item : entries.entrySet()) {
        Entry entry = item.getValue();
        json.writeObjectFieldStart(item.getKey());
        json.writeStringField("dtype", entry.type.name());
        json.writeFieldName("shape");
        json.writeArray(entry.shape.toArray(), 0, entry.shape.rank());
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {entry.begin, entry.end}, 0, 2);
        json.writeEndObject();
      }
      json.writeEndObject();
    }
    byte[] unpadded = text.toString().getBytes(StandardCharsets.UTF_8);
    int length = (unpadded.length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (length > StrictJson.LONGEST) {
      throw new IllegalArgumentException(
          "the header of "
              + entries.size()
              + " tensors has "
              + length
              + " bytes: expected at most "
              + StrictJson.LONGEST);
    }
    byte[] padded = Arrays.copyOf(unpadded, length);
    Arrays.fill(padded, unpadded.length, length, (byte) ' ');
    return ByteBuffer.allocate(Long.BYTES + length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(length)
        .put(padded)
        .flip();
  }
}
