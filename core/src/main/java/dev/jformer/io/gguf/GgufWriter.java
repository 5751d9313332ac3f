package dev.jformer.io.gguf;

import dev.jformer.io.AtomicFile;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Device;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a GGUF file, version 3: first its metadata and tensors are named, then {@link #write}
 * writes them. Tensors are converted piece by piece.
 */
public final class GgufWriter {
  private static final int ALIGNMENT = 32;
  private static final int CHUNK = 1 << 16;

  private final ByteArrayOutputStream metadata = new ByteArrayOutputStream();
  private final Map<String, Entry> tensors = new LinkedHashMap<>();
  private int keys;

  private record Entry(GgufType type, Tensor values) {
    long bytes() {
      return values.elements() / type.blockValues() * type.blockBytes();
    }
  }

  /** Adds a string. */
  public GgufWriter text(String key, String value) {
    begin(key, GgufValue.Kind.STRING);
    string(metadata, value);
    return this;
  }

  /** Adds an integer that is not negative. */
  public GgufWriter integer(String key, int value) {
    begin(key, GgufValue.Kind.UINT32);
    int32(metadata, value);
    return this;
  }

  /** Adds a 32-bit float. */
  public GgufWriter number(String key, double value) {
    begin(key, GgufValue.Kind.FLOAT32);
    int32(metadata, Float.floatToRawIntBits((float) value));
    return this;
  }

  /** Adds a truth value. */
  public GgufWriter flag(String key, boolean value) {
    begin(key, GgufValue.Kind.BOOL);
    metadata.write(value ? 1 : 0);
    return this;
  }

  /** Adds an array of strings. */
  public GgufWriter strings(String key, List<String> values) {
    array(key, GgufValue.Kind.STRING, values.size());
    values.forEach(value -> string(metadata, value));
    return this;
  }

  /** Adds an array of integers. */
  public GgufWriter integers(String key, int... values) {
    array(key, GgufValue.Kind.INT32, values.length);
    for (int value : values) {
      int32(metadata, value);
    }
    return this;
  }

  /** Adds an array of 32-bit floats. */
  public GgufWriter numbers(String key, float... values) {
    array(key, GgufValue.Kind.FLOAT32, values.length);
    for (float value : values) {
      int32(metadata, Float.floatToRawIntBits(value));
    }
    return this;
  }

  private void begin(String key, GgufValue.Kind kind) {
    string(metadata, key);
    int32(metadata, kind.id());
    keys++;
  }

  private void array(String key, GgufValue.Kind element, int count) {
    begin(key, GgufValue.Kind.ARRAY);
    int32(metadata, element.id());
    int64(metadata, count);
  }

  /** Whether rows of this shape can be stored in a type: they must be whole blocks. */
  public static boolean fits(Tensor values, GgufType type) {
    return values.size(-1) % type.blockValues() == 0;
  }

  /**
   * Adds a tensor, which must live until it is written.
   *
   * @param type F32, F16 or Q8_0
   * @throws IllegalArgumentException if it cannot be stored in this type
   */
  public GgufWriter tensor(String name, GgufType type, Tensor values) {
    BlockEncoder.of(type);
    if (!fits(values, type)) {
      throw new IllegalArgumentException(
          name
              + " has rows of "
              + values.size(-1)
              + " values: expected a multiple of "
              + type.blockValues()
              + " for "
              + type);
    }
    tensors.put(name, new Entry(type, values));
    return this;
  }

  /**
   * Writes the file, which appears whole or not at all.
   *
   * @throws IOException if it cannot be written
   */
  public void write(Path path) throws IOException {
    try (AtomicFile file = AtomicFile.beside(path)) {
      long position = drain(file.channel(), header());
      pad(file.channel(), position);
      for (Entry entry : tensors.values()) {
        write(file.channel(), entry);
        pad(file.channel(), entry.bytes());
      }
      file.commit();
    }
  }

  private ByteBuffer header() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    int32(out, GgufFile.MAGIC);
    int32(out, 3);
    int64(out, tensors.size());
    int64(out, keys);
    out.writeBytes(metadata.toByteArray());
    long begin = 0;
    for (Map.Entry<String, Entry> tensor : tensors.entrySet()) {
      Entry entry = tensor.getValue();
      string(out, tensor.getKey());
      int32(out, entry.values().rank());
      for (int dim = entry.values().rank() - 1; dim >= 0; dim--) {
        int64(out, entry.values().size(dim));
      }
      int32(out, entry.type().id());
      int64(out, begin);
      begin += entry.bytes() + padding(entry.bytes());
    }
    return ByteBuffer.wrap(out.toByteArray());
  }

  private static void write(WritableByteChannel out, Entry entry) throws IOException {
    BlockEncoder encoder = BlockEncoder.of(entry.type());
    int step = entry.type().blockValues();
    try (Scope scope = Scope.open()) {
      Tensor flat = entry.values().detach().to(Device.CPU).contiguous().reshape(-1);
      for (long start = 0; start < flat.elements(); start += CHUNK) {
        try (Scope piece = Scope.open()) {
          long count = Math.min(CHUNK, flat.elements() - start);
          float[] values = flat.narrow(0, start, count).to(DType.FLOAT32).toFloats();
          ByteBuffer bytes =
              ByteBuffer.allocate(values.length / step * entry.type().blockBytes())
                  .order(ByteOrder.LITTLE_ENDIAN);
          for (int at = 0; at < values.length; at += step) {
            encoder.encode(values, at, bytes);
          }
          drain(out, bytes.flip());
        }
      }
    }
  }

  private static void pad(WritableByteChannel out, long written) throws IOException {
    drain(out, ByteBuffer.allocate(padding(written)));
  }

  private static int padding(long bytes) {
    return (int) (-bytes & (ALIGNMENT - 1));
  }

  private static long drain(WritableByteChannel out, ByteBuffer bytes) throws IOException {
    long count = bytes.remaining();
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
    return count;
  }

  private static void string(ByteArrayOutputStream out, String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    int64(out, bytes.length);
    out.writeBytes(bytes);
  }

  private static void int32(ByteArrayOutputStream out, int value) {
    out.writeBytes(
        ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
  }

  private static void int64(ByteArrayOutputStream out, long value) {
    out.writeBytes(
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
  }
}
