package dev.jformer.io;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import dev.jformer.tensor.TensorException;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.Set;

/**
 * A safetensors file: named tensors and a little metadata.
 *
 * <pre>{@code
 * try (SafetensorsFile file = SafetensorsFile.open(path)) {
 *   weight.copy_(file.tensor("lm_head.weight"));
 * }
 * }</pre>
 *
 * <p>The file is mapped, not read: {@link #tensor} yields views of its pages, which the system
 * loads when they are used and may drop again. The mapping is private, so changing such a tensor
 * changes neither the file nor what other processes see. It lives until this object and every
 * tensor taken from it are released; a tensor can therefore be used as long as it is held, also
 * after {@link #close}. Do not shorten or overwrite a file in place while it is open, which would
 * end the process; {@link #write} never does: it replaces the file, and tensors taken from the old
 * one stay as they are.
 *
 * <p>One file may be used by several threads at once.
 */
public final class SafetensorsFile implements AutoCloseable {
  private final Path path;
  private final Tensor bytes;
  private final Header header;
  private final long dataStart;

  private SafetensorsFile(Path path, Tensor bytes, Header header, long dataStart) {
    this.path = path;
    this.bytes = bytes;
    this.header = header;
    this.dataStart = dataStart;
  }

  /**
   * Opens a file and checks all of its header.
   *
   * @throws FormatException if it is not a sound safetensors file of supported element types
   * @throws IOException if it does not exist or cannot be mapped
   */
  public static SafetensorsFile open(Path path) throws IOException {
    BasicFileAttributes file = Files.readAttributes(path, BasicFileAttributes.class);
    if (!file.isRegularFile()) {
      throw new FormatException(path + ": is not a file: expected a safetensors file");
    }
    if (file.size() < Long.BYTES) {
      throw new FormatException(
          path
              + ": holds "
              + file.size()
              + " bytes: expected a safetensors file, which starts with 8 for its header's length");
    }
    try (Scope scope = Scope.open()) {
      Tensor bytes = map(path, file.size());
      long headerBytes = headerBytes(bytes);
      long dataStart = Long.BYTES + headerBytes;
      Header header =
          Header.parse(
              bytes.narrow(0, Long.BYTES, headerBytes).asBuffer(), file.size() - dataStart);
      return new SafetensorsFile(path, bytes.keep(), header, dataStart);
    } catch (FormatException e) {
      throw e.in(path);
    }
  }

  private static Tensor map(Path path, long size) throws IOException {
    try {
      return Tensor.map(path, DType.UINT8, size);
    } catch (TensorException e) {
      throw new IOException(path + ": cannot be mapped: " + e.getMessage(), e);
    }
  }

  private static long headerBytes(Tensor file) {
    long length = file.narrow(0, 0, Long.BYTES).asBuffer().order(ByteOrder.LITTLE_ENDIAN).getLong();
    long rest = file.elements() - Long.BYTES;
    // A length of 2^63 or more reads as negative.
    if (length < 0 || length > StrictJson.LONGEST || length > rest) {
      throw new FormatException(
          "the header's length reads as "
              + Long.toUnsignedString(length)
              + ": expected at most "
              + Math.min(rest, StrictJson.LONGEST)
              + "; the file is truncated or not safetensors");
    }
    if (length == 0) {
      throw new FormatException("the header is empty: expected a JSON object");
    }
    return length;
  }

  /** The file's path when it was opened. */
  public Path path() {
    return path;
  }

  /** The tensors' names, in the order of the header. */
  public Set<String> names() {
    return header.entries().keySet();
  }

  /** The free text stored with the tensors, by key. */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /**
   * The shape of a tensor.
   *
   * @throws FormatException if the file has no tensor of this name
   */
  public Shape shape(String name) {
    return entry(name).shape();
  }

  /**
   * The element type of a tensor.
   *
   * @throws FormatException if the file has no tensor of this name
   */
  public DType dtype(String name) {
    return entry(name).type().dtype();
  }

  /**
   * A tensor as a view of the mapped file; a copy only where the file stores it at an address that
   * its element type does not allow, or where tensors are made on another device. It belongs to the
   * innermost open scope, as every new tensor.
   *
   * @throws FormatException if the file has no tensor of this name, or it is boolean and holds
   *     something other than 0 and 1
   * @throws IllegalStateException if the file was closed
   */
  public Tensor tensor(String name) {
    Header.Entry entry = entry(name);
    if (bytes.isClosed()) {
      throw new IllegalStateException(path + " was closed: read its tensors before closing it");
    }
    return Scope.tidy(() -> view(name, entry).toCurrentDevice());
  }

  private Tensor view(String name, Header.Entry entry) {
    DType dtype = entry.type().dtype();
    long[] shape = entry.shape().toArray();
    if (entry.bytes() == 0) {
      return Tensor.empty(dtype, shape);
    }
    long start = dataStart + entry.begin();
    Tensor stored = bytes.narrow(0, start, entry.bytes());
    if (dtype == DType.BOOL) {
      checkBooleans(name, stored);
    }
    boolean aligned = start % dtype.bytes() == 0;
    return (aligned ? stored : stored.copy()).viewAs(dtype).reshape(shape);
  }

  private void checkBooleans(String name, Tensor stored) {
    long largest = stored.max().itemLong();
    if (largest > 1) {
      throw new FormatException(
          path
              + ": tensor "
              + FormatException.quote(name)
              + " of type BOOL holds the byte "
              + largest
              + ": expected 0 or 1");
    }
  }

  private Header.Entry entry(String name) {
    Header.Entry entry = header.entries().get(name);
    if (entry == null) {
      throw new FormatException(
          path + ": has no tensor " + FormatException.quote(name) + " among its " + names().size());
    }
    return entry;
  }

  /** Releases this object's hold on the file; tensors taken from it keep theirs. */
  @Override
  public void close() {
    bytes.close();
  }

  /**
   * Writes tensors to a file, straight from their memory. The file appears whole or not at all: an
   * earlier one of the same name is replaced in one step, once the new one is on the disk. Equal
   * tensors and metadata give equal bytes, the same as the reference implementation's. Tensors that
   * share memory are written once each.
   *
   * @param tensors by name, of any layout and on any device
   * @throws IllegalArgumentException if a tensor was released, or a name cannot be stored
   * @throws IOException if the directory does not exist or the file cannot be written
   */
  public static void write(Path path, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    try (AtomicFile file = AtomicFile.beside(path)) {
      write(file, path, tensors, metadata);
      file.commit();
    }
  }

  static void write(
      AtomicFile file, Path path, Map<String, Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    try {
      new SafetensorsWriter(file.channel()).write(tensors, metadata);
      file.seal();
    } catch (IOException e) {
      throw new IOException(path + ": cannot be written: " + e.getMessage(), e);
    }
  }
}
