package dev.jformer.io.gguf;

import dev.jformer.io.FormatException;
import dev.jformer.tensor.Scope;
import dev.jformer.testing.Mutations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Damaged GGUF files are read or refused. */
class GgufFuzzTest {
  @Provide
  Arbitrary<byte[]> files() throws IOException {
    return Mutations.of(List.of(Files.readAllBytes(GgufFileTest.FILE)));
  }

  @Property
  void filesAreReadOrRefused(@ForAll("files") byte[] bytes) throws IOException {
    Path path = Files.createTempFile("fuzz", ".gguf");
    try {
      Files.write(path, bytes);
      Mutations.check(path.toString(), () -> read(path), FormatException.class);
    } finally {
      Files.delete(path);
    }
  }

  private static void read(Path path) throws IOException {
    try (Scope scope = Scope.open();
        GgufFile file = GgufFile.open(path)) {
      file.tensors().keySet().forEach(file::tensor);
      file.metadata().strings("test.strings");
      file.metadata().integers("test.integers");
      file.metadata().numbers("test.numbers");
    }
  }
}
