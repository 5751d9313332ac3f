package dev.jformer.io.gguf;

import dev.jformer.config.RegularFile;
import dev.jformer.io.FormatException;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Device;
import dev.jformer.tensor.IntegerBlocks;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.tensor.TensorException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A GGUF file, version 2 or 3: metadata and named tensors, which may be quantized.
 *
 * <p>The file is mapped: {@link #tensor} yields views of its pages for floating-point types.
 * Quantized tensors are read piece by piece, and become float32 copies. Do not shorten or overwrite
 * a file in place while it is open, which would end the process.
 */
public final class GgufFile implements AutoCloseable {
  private static final String SUFFIX = ".gguf";
  static final int MAGIC = 0x46554747; // "GGUF"
  private static final String ALIGNMENT = "general.alignment";

  /** The largest header: metadata, with the tokenizer, and the directory of tensors. */
  private static final long LONGEST_HEADER = 1 << 28;

  /** How many values are decoded at a time. */
  private static final int CHUNK = 1 << 16;

  private final Path path;
  private final GgufMetadata metadata;
  private final Map<String, GgufTensor> tensors;
  private final Tensor bytes;
  private final FileChannel channel;

  /** Where the tensors begin. */
  private final long start;

  private GgufFile(
      Path path,
      GgufMetadata metadata,
      Map<String, GgufTensor> tensors,
      Tensor bytes,
      FileChannel channel,
      long start) {
    this.path = path;
    this.metadata = metadata;
    this.tensors = Collections.unmodifiableMap(tensors);
    this.bytes = bytes;
    this.channel = channel;
    this.start = start;
  }

  /** Whether a path is named as a GGUF file. */
  public static boolean isNamed(Path path) {
    return path.toString().toLowerCase(Locale.ROOT).endsWith(SUFFIX);
  }

  /**
   * Opens a file and checks all of its header.
   *
   * @throws FormatException if it is not a sound GGUF file of supported element types
   * @throws IOException if it does not exist or cannot be mapped
   */
  public static GgufFile open(Path path) throws IOException {
    long size = Files.size(RegularFile.check(path));
    try {
      HeaderCursor in = new HeaderCursor(header(path, size));
      int directory = checkStart(in);
      int keys = in.count("the number of metadata", GgufMetadata.FEWEST_BYTES);
      GgufMetadata metadata = GgufMetadata.read(path, in, keys);
      Map<String, GgufTensor> tensors = tensors(in, directory);
      long start = start(in.position(), metadata);
      check(tensors, size - start, alignment(metadata));
      Tensor bytes = map(path, size);
      try {
        return new GgufFile(path, metadata, tensors, bytes, FileChannel.open(path), start);
      } catch (IOException e) {
        bytes.close();
        throw e;
      }
    } catch (FormatException e) {
      String message = String.valueOf(e.getMessage());
      throw message.startsWith(path + ": ") ? e : new FormatException(path + ": " + message, e);
    }
  }

  private static ByteBuffer header(Path path, long size) throws IOException {
    try (FileChannel channel = FileChannel.open(path)) {
      return channel
          .map(FileChannel.MapMode.READ_ONLY, 0, Math.min(size, LONGEST_HEADER))
          .order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  /** Checks the magic number and the version; the number of tensors. */
  private static int checkStart(HeaderCursor in) {
    int magic = in.int32("its magic number");
    if (magic != MAGIC) {
      throw new FormatException(
          String.format(Locale.ROOT, "begins with 0x%08x: expected a GGUF file", magic));
    }
    int version = in.int32("its version");
    if (version != 2 && version != 3) {
      throw new FormatException(
          "is a GGUF file of version "
              + Integer.toUnsignedString(version)
              + (Integer.reverseBytes(version) < 4 && version != 1 && version != 0
                  ? ", which is a big-endian file"
                  : "")
              + ": expected version 2 or 3, little-endian");
    }
    return in.count("the number of tensors", GgufTensor.FEWEST_BYTES);
  }

  private static Map<String, GgufTensor> tensors(HeaderCursor in, int count) {
    Map<String, GgufTensor> tensors = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      GgufTensor tensor = GgufTensor.read(in, i);
      if (tensors.put(tensor.name(), tensor) != null) {
        throw new FormatException(
            "tensor " + FormatException.quote(tensor.name()) + " stands twice");
      }
    }
    return tensors;
  }

  private static int alignment(GgufMetadata metadata) {
    int alignment = metadata.size(ALIGNMENT, 32);
    if (Integer.bitCount(alignment) != 1) {
      throw new FormatException(ALIGNMENT + " is " + alignment + ": expected a power of two");
    }
    return alignment;
  }

  /** Where the tensors begin: at the next multiple of the alignment after the header. */
  private static long start(long header, GgufMetadata metadata) {
    long alignment = alignment(metadata);
    return (header + alignment - 1) / alignment * alignment;
  }

  /** Checks that tensors lie within the file, begin at multiples and do not overlap. */
  private static void check(Map<String, GgufTensor> tensors, long room, int alignment) {
    List<GgufTensor> ordered = new ArrayList<>(tensors.values());
    for (GgufTensor tensor : ordered) {
      if (tensor.begin() < 0 || tensor.bytes() > room || tensor.begin() > room - tensor.bytes()) {
        throw wrong(
            tensor,
            "takes "
                + tensor.bytes()
                + " bytes from "
                + Long.toUnsignedString(tensor.begin())
                + " on",
            "but the file holds "
                + Math.max(0, room)
                + " bytes of tensors: it is truncated or damaged");
      }
      if (tensor.begin() % alignment != 0) {
        throw wrong(
            tensor,
            "begins at " + tensor.begin(),
            "expected a multiple of the alignment " + alignment);
      }
    }
    ordered.sort(Comparator.comparingLong(GgufTensor::begin));
    for (int i = 1; i < ordered.size(); i++) {
      GgufTensor before = ordered.get(i - 1);
      if (before.begin() + before.bytes() > ordered.get(i).begin()) {
        throw wrong(
            ordered.get(i),
            "begins at " + ordered.get(i).begin(),
            "but tensor " + FormatException.quote(before.name()) + " ends after that");
      }
    }
  }

  private static FormatException wrong(GgufTensor tensor, String found, String why) {
    return new FormatException(
        "tensor " + FormatException.quote(tensor.name()) + " " + found + ": " + why);
  }

  private static Tensor map(Path path, long size) throws IOException {
    try (Scope scope = Scope.open()) {
      return Tensor.map(path, DType.UINT8, size).keep();
    } catch (TensorException e) {
      throw new IOException(path + ": cannot be mapped: " + e.getMessage(), e);
    }
  }

  /** The file's path when it was opened. */
  public Path path() {
    return path;
  }

  /** The values by key. */
  public GgufMetadata metadata() {
    return metadata;
  }

  /** The directory of tensors by name, in the order of the file. */
  public Map<String, GgufTensor> tensors() {
    return tensors;
  }

  /**
   * A tensor in the {@link GgufType#dtype} of its type: a view of the mapped file, or the decoded
   * values if it is quantized. It belongs to the innermost open scope.
   *
   * @throws FormatException if the file has no tensor of this name
   * @throws IllegalStateException if the file was closed
   */
  public Tensor tensor(String name) {
    GgufTensor entry = find(name);
    return Scope.tidy(() -> stored(entry).toCurrentDevice());
  }

  private Tensor stored(GgufTensor entry) {
    try (Mode host = Device.host()) {
      return entry.type().isQuantized() ? decoded(entry) : view(entry);
    }
  }

  private GgufTensor find(String name) {
    GgufTensor entry = tensors.get(name);
    if (entry == null) {
      throw new FormatException(
          path + ": has no tensor " + FormatException.quote(name) + " among its " + tensors.size());
    }
    if (bytes.isClosed()) {
      throw new IllegalStateException(path + " was closed: read its tensors before closing it");
    }
    return entry;
  }

  private Tensor view(GgufTensor entry) {
    Tensor stored = bytes.narrow(0, start + entry.begin(), entry.bytes());
    // Where tensors begin is a multiple of the alignment, which may be less than the element's.
    boolean aligned = (start + entry.begin()) % entry.type().blockBytes() == 0;
    return (aligned ? stored : stored.copy())
        .viewAs(entry.type().dtype())
        .reshape(entry.shape().toArray());
  }

  /**
   * Copies a tensor into one of the same shape, without a second one of its size in memory.
   *
   * @param target contiguous, float32
   * @throws FormatException if the file has no tensor of this name
   */
  public void copyTo(String name, Tensor target) {
    GgufTensor entry = tensors.get(name);
    boolean decodes = entry != null && entry.type().isQuantized() && target.isOnHost();
    if (decodes && target.shape().equals(entry.shape())) {
      try (Scope scope = Scope.open()) {
        decode(entry, target.reshape(target.elements()));
      }
    } else {
      target.copy_(tensor(name));
    }
  }

  private Tensor decoded(GgufTensor entry) {
    Tensor values = Tensor.empty(DType.FLOAT32, entry.shape().elements());
    decode(entry, values);
    return values.reshape(entry.shape().toArray());
  }

  /** Decodes a quantized tensor into a vector, piece by piece. */
  private void decode(GgufTensor entry, Tensor values) {
    float[] floats = new float[(int) Math.min(CHUNK, entry.shape().elements())];
    pieces(
        entry,
        (from, count, piece) -> {
          piece.values(floats, count);
          FloatBuffer out = values.narrow(0, from, count).asBuffer().asFloatBuffer();
          out.put(floats, 0, count);
        });
  }

  /**
   * The integers, scales and offsets of a quantized matrix. They belong to the innermost open
   * scope.
   *
   * @return empty if the tensor is no matrix, or of a floating-point type
   * @throws FormatException if the file has no tensor of this name
   */
  public Optional<IntegerBlocks> blocks(String name) {
    GgufTensor entry = find(name);
    GgufType type = entry.type();
    if (!type.isQuantized() || entry.shape().rank() != 2) {
      return Optional.empty();
    }
    long rows = entry.shape().size(0);
    long width = entry.shape().size(1);
    long parts = width / type.partValues();
    IntegerBlocks blocks;
    try (Mode host = Device.host()) {
      blocks =
          new IntegerBlocks(
              Tensor.empty(DType.INT8, rows, width),
              Tensor.empty(DType.FLOAT32, rows, parts),
              type.hasOffsets() ? Tensor.empty(DType.FLOAT32, rows, parts) : null);
    }
    Tensor integers = blocks.integers();
    pieces(
        entry,
        (from, count, piece) -> {
          integers.reshape(-1).narrow(0, from, count).asBuffer().put(piece.integers(), 0, count);
          copy(piece.scales(), from, count, type, blocks.scales());
          if (blocks.offsets() != null) {
            copy(piece.offsets(), from, count, type, blocks.offsets());
          }
        });
    return Optional.of(blocks);
  }

  private static void copy(float[] values, long from, int count, GgufType type, Tensor to) {
    int parts = count / type.partValues();
    to.reshape(-1)
        .narrow(0, from / type.partValues(), parts)
        .asBuffer()
        .asFloatBuffer()
        .put(values, 0, parts);
  }

  /** Takes consecutive values, decoded; what it gets is used again for the next. */
  private interface PieceReader {
    void read(long from, int count, DecodedBlocks piece);
  }

  private void pieces(GgufTensor entry, PieceReader reader) {
    GgufType type = entry.type();
    int step = type.blockValues();
    long elements = entry.shape().elements();
    int most = (int) Math.min(CHUNK, elements);
    DecodedBlocks piece = new DecodedBlocks(type, most);
    ByteBuffer in =
        ByteBuffer.allocate(most / step * type.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (long done = 0; done < elements; done += most) {
      int count = (int) Math.min(most, elements - done);
      in.clear().limit(count / step * type.blockBytes());
      read(entry, start + entry.begin() + done / step * type.blockBytes(), in);
      for (int block = 0; block < count / step; block++) {
        type.decoder().decode(in, block * type.blockBytes(), piece, block);
      }
      try (Scope scope = Scope.open()) {
        reader.read(done, count, piece);
      }
    }
  }

  /** Fills a buffer; not from mapped pages, which would count as memory of the process. */
  private void read(GgufTensor entry, long position, ByteBuffer in) {
    try {
      while (in.hasRemaining()) {
        if (channel.read(in, position + in.position()) < 0) {
          throw new FormatException(
              path + ": ends within the tensor " + FormatException.quote(entry.name()));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + path + ": " + e.getMessage(), e);
    }
  }

  /** Releases this object's hold on the file; views taken from it keep theirs. */
  @Override
  public void close() {
    bytes.close();
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot close " + path + ": " + e.getMessage(), e);
    }
  }
}
