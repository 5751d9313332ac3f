package dev.jformer.hub;

import dev.jformer.io.FormatException;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Device;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * A tensor of an ONNX file. Large ones stay in the file until they are loaded.
 *
 * @param offset the offset of its values in the file, if {@code values} is null
 * @param values its bytes, little-endian; null if they are still in the file
 */
record OnnxTensor(
    String name, Shape shape, DType dtype, Path file, long offset, ByteBuffer values) {
  private long bytes() {
    return shape.elements() * dtype.bytes();
  }

  /** Loads the values, into memory of the tensor's own, so that views may outlive it. */
  Tensor load() {
    Tensor values;
    try (Mode host = Device.host()) {
      values = Tensor.empty(dtype, shape.toArray());
    }
    if (shape.elements() > 0) {
      read(values.asBuffer());
    }
    return values.toCurrentDevice();
  }

  /** The values of a small tensor of integers. */
  long[] integers() {
    if (dtype != DType.INT64 && dtype != DType.INT32) {
      throw new FormatException(
          file
              + ": the tensor "
              + FormatException.oneLine(name)
              + " holds "
              + dtype
              + ": expected integers");
    }
    ByteBuffer content = content();
    long[] integers = new long[(int) shape.elements()];
    for (int i = 0; i < integers.length; i++) {
      integers[i] = dtype == DType.INT64 ? content.getLong() : content.getInt();
    }
    return integers;
  }

  /**
   * The value of a tensor of one floating-point number; NaN if it is something else. For float32 it
   * is the shortest decimal number that rounds to the stored value, such as 1e-12.
   */
  double number() {
    if (shape.elements() != 1) {
      return Double.NaN;
    }
    return switch (dtype) {
      case FLOAT32 -> shortestDecimal(content().getFloat());
      case FLOAT64 -> content().getDouble();
      default -> Double.NaN;
    };
  }

  static double shortestDecimal(float value) {
    return Double.parseDouble(Float.toString(value));
  }

  private ByteBuffer content() {
    ByteBuffer buffer = ByteBuffer.allocate(Math.toIntExact(bytes()));
    read(buffer);
    return buffer.flip().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Fills a buffer. */
  private void read(ByteBuffer buffer) {
    if (values != null) {
      buffer.put(values.duplicate());
      return;
    }
    try (FileChannel channel = FileChannel.open(file)) {
      while (buffer.hasRemaining()) {
        if (channel.read(buffer, offset + buffer.position()) < 0) {
          throw new FormatException(
              file + ": ends within the tensor " + FormatException.oneLine(name));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }
}
