package dev.jformer.tensor;

import java.util.Locale;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;

/**
 * The device that holds a tensor.
 *
 * <p>New tensors are in the host's memory, or on the device that the process {@linkplain #use
 * uses}. So a program computes on a GPU if it names it first, and models, batches and optimizers
 * need to know nothing of it.
 *
 * @param type the kind of device
 * @param index which one of its kind, from 0
 */
public record Device(Type type, int index) {
  /** The host's memory. */
  public static final Device CPU = new Device(Type.CPU, 0);

  private static final ThreadLocal<Boolean> ON_HOST = ThreadLocal.withInitial(() -> false);

  private static volatile Device used = CPU;

  /** The kinds of device libtorch can be built for. */
  public enum Type {
    CPU(DeviceType.CPU),
    CUDA(DeviceType.CUDA),
    MPS(DeviceType.MPS);

    private final DeviceType torch;

    Type(DeviceType torch) {
      this.torch = torch;
    }
  }

  /**
   * Reads {@code cpu}, {@code cuda}, {@code cuda:1} or {@code mps}.
   *
   * @throws IllegalArgumentException if the text names no device
   */
  public static Device parse(String text) {
    String[] parts = text.split(":", 2);
    try {
      Type type = Type.valueOf(parts[0].toUpperCase(Locale.ROOT));
      int index = parts.length == 2 ? Integer.parseUnsignedInt(parts[1]) : 0;
      if (index < 0 || (index > 0 && type != Type.CUDA)) {
        throw new IllegalArgumentException(type + " has no device number " + index);
      }
      return new Device(type, index);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "unknown device '" + text + "': expected cpu, cuda, cuda:N or mps", e);
    }
  }

  /** The device on which new tensors of the calling thread are made. */
  public static Device current() {
    return ON_HOST.get() ? CPU : used;
  }

  /**
   * Makes all threads make new tensors on a device. Tensors that exist already stay where they are,
   * so this is to be called before models are made or read.
   *
   * @throws IllegalArgumentException if this machine, or this build of libtorch, has no such device
   */
  public static void use(Device device) {
    device.require();
    used = device;
  }

  /**
   * Opens a mode in which new tensors of the calling thread are in the host's memory, for work that
   * reads or writes it directly.
   */
  public static Mode host() {
    boolean before = ON_HOST.get();
    ON_HOST.set(true);
    return () -> ON_HOST.set(before);
  }

  /** Whether tensors can be made on it here. */
  public boolean isPresent() {
    Engine.start();
    return switch (type) {
      case CPU -> true;
      case CUDA -> torch.hasCUDA() && index < torch.cuda_device_count();
      case MPS -> torch.hasMPS();
    };
  }

  private void require() {
    if (isPresent()) {
      return;
    }
    String why =
        switch (type) {
          case CPU -> throw new AssertionError("every machine has a CPU");
          case CUDA ->
              torch.hasCUDA()
                  ? "libtorch finds " + torch.cuda_device_count() + " CUDA devices, counted from 0"
                  : "libtorch finds no CUDA device: build with -Pgpu on a machine with a GPU of"
                      + " NVIDIA, its driver, CUDA and cuDNN";
          case MPS -> "libtorch finds no GPU of Apple";
        };
    throw new IllegalArgumentException("there is no device " + this + " here: " + why);
  }

  org.bytedeco.pytorch.Device torch() {
    return type == Type.CPU
        ? new org.bytedeco.pytorch.Device(DeviceType.CPU)
        : new org.bytedeco.pytorch.Device(type.torch, (byte) index);
  }

  /** The kind of device, as libtorch names it. */
  DeviceType torchType() {
    return type.torch;
  }

  static Device of(org.bytedeco.pytorch.Device device) {
    for (Type type : Type.values()) {
      if (type.torch.value == device.type().value) {
        return new Device(type, Math.max(0, device.index()));
      }
    }
    if (device.is_meta()) {
      throw new TensorException("a tensor made in MetaMode is on no device and has no values");
    }
    throw new TensorException("device " + device.str().getString() + " is not supported");
  }

  @Override
  public String toString() {
    String name = type.name().toLowerCase(Locale.ROOT);
    return type == Type.CPU ? name : name + ":" + index;
  }
}
