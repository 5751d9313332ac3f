package dev.jformer.tensor;

import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch.DeviceType;

/**
 * A mode in which tensors have no memory: every tensor made in the calling thread has a type and a
 * shape, but no values. Operators compute only the shapes of their results; random ones draw
 * nothing. Reading a value is an error.
 *
 * <p>With it a model's parameters and shapes can be examined before any memory is allocated for
 * them.
 */
public final class MetaMode implements Mode {
  private static final ThreadLocal<MetaMode> OPEN = new ThreadLocal<>();

  private final MetaMode outer = OPEN.get();
  private final long most;
  private long made;

  private MetaMode(long most) {
    this.most = most;
  }

  /**
   * Opens the mode in the calling thread.
   *
   * @param most how many tensors may be made; one more is a {@link TensorException}
   */
  public static MetaMode open(long most) {
    Engine.start();
    MetaMode mode = new MetaMode(most);
    OPEN.set(mode);
    return mode;
  }

  /** Whether the mode is open in the calling thread, so that values must not be read. */
  public static boolean isOpen() {
    return OPEN.get() != null;
  }

  /** Options of a new tensor: on the current device, or on no device in this mode. */
  static TensorOptions options(DType dtype) {
    MetaMode mode = OPEN.get();
    if (mode == null) {
      return Native.options(dtype, Device.current());
    }
    if (++mode.made > mode.most) {
      throw new TensorException(
          "more than " + mode.most + " tensors were made: expected at most that many in MetaMode");
    }
    return new TensorOptions()
        .dtype(new ScalarTypeOptional(dtype.scalarType()))
        .device(new DeviceOptional(new org.bytedeco.pytorch.Device(DeviceType.Meta)));
  }

  @Override
  public void close() {
    if (outer == null) {
      OPEN.remove();
    } else {
      OPEN.set(outer);
    }
  }
}
