package dev.jformer.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class DeviceTest {
  @Test
  void aDeviceThatIsNotThereIsRefused() {
    Device missing = new Device(Device.Type.CUDA, 99);
    assertFalse(missing.isPresent());
    String message =
        assertThrows(IllegalArgumentException.class, () -> Device.use(missing)).getMessage();
    assertTrue(message.startsWith("there is no device cuda:99 here: libtorch finds "), message);
    assertEquals(Device.CPU, Device.current());
    assertEquals(Device.CPU, Tensor.zeros(2).device());
  }

  @Test
  void theCpuIsAlwaysThere() {
    assertTrue(Device.CPU.isPresent());
    Device.use(Device.CPU);
    Tensor x = Tensor.ones(3);
    assertTrue(x.isOnHost());
    assertSame(x, x.toCurrentDevice());
    try (Mode host = Device.host()) {
      assertEquals(Device.CPU, Device.current());
    }
  }

  @Test
  void tensorsWithoutMemoryAreNotMoved() {
    try (Mode mode = MetaMode.open(10)) {
      Tensor x = Tensor.of(new float[] {1, 2});
      assertFalse(x.isOnHost());
      assertSame(x, x.toCurrentDevice());
    }
  }
}
