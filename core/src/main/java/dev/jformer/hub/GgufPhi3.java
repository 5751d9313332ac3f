package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufWriter;

/** Phi-3 in GGUF, with joined matrices. */
final class GgufPhi3 extends GgufRotary {
  GgufPhi3() {
    super("phi3", GgufNames.PHI3);
  }

  @Override
  void read(GgufFile file, ObjectNode config) {
    readWindow(file.metadata(), config);
  }

  @Override
  void writeMore(JsonNode config, GgufWriter out) {
    writeWindow(config, out);
  }
}
