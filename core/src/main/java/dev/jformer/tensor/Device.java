package dev.jformer.tensor;

import java.util.Locale;
import org.bytedeco.pytorch.global.torch.DeviceType;

/**
 * The device that holds a tensor.
 *
 * @param type the kind of device
 * @param index which one of its kind, from 0
 */
public record Device(Type type, int index) {
  /** The host's memory. */
  public static final Device CPU = new Device(Type.CPU, 0);

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

  org.bytedeco.pytorch.Device torch() {
    return type == Type.CPU
        ? new org.bytedeco.pytorch.Device(DeviceType.CPU)
        : new org.bytedeco.pytorch.Device(type.torch, (byte) index);
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
