package dev.jformer.io;

import dev.jformer.tensor.Device;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.HashMap;
import java.util.Map;

/** Writes tensors to a channel straight from their memory, one piece at a time. */
final class SafetensorsWriter {
  private static final long CHUNK_BYTES = 64L << 20;

  private final WritableByteChannel out;
  private final long chunkBytes;

  SafetensorsWriter(WritableByteChannel out) {
    this(out, CHUNK_BYTES);
  }

  SafetensorsWriter(WritableByteChannel out, long chunkBytes) {
    this.out = out;
    this.chunkBytes = chunkBytes;
  }

  void write(Map<String, Tensor> tensors, Map<String, String> metadata) throws IOException {
    Map<String, Header.Entry> sized = new HashMap<>();
    tensors.forEach((name, tensor) -> sized.put(name, Header.Entry.of(name, tensor)));
    Header header = Header.layOut(sized, metadata);
    drain(header.toBytes());
    for (String name : header.entries().keySet()) {
      write(tensors.get(name));
    }
  }

  private void write(Tensor tensor) throws IOException {
    try (Scope scope = Scope.open()) {
      Tensor flat = tensor.detach().to(Device.CPU).contiguous().reshape(-1);
      long step = Math.max(1, chunkBytes / tensor.dtype().bytes());
      for (long start = 0; start < flat.elements(); start += step) {
        drain(flat.narrow(0, start, Math.min(step, flat.elements() - start)).asBuffer());
      }
    }
  }

  private void drain(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
