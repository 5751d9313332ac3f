package dev.jformer.hub;

import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.model.Model;
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

/** Models and tokenizers in damaged GGUF files are loaded or refused. */
class GgufLoadFuzzTest {
  @Provide
  Arbitrary<byte[]> files() throws IOException {
    return Mutations.of(
        List.of(
            Files.readAllBytes(GgufLlamaTest.FILE),
            Files.readAllBytes(GgufLlamaTest.FOLDER.resolve("spm.gguf"))));
  }

  @Property
  void filesAreLoadedOrRefused(@ForAll("files") byte[] bytes) throws IOException {
    Path path = Files.createTempFile("fuzz", ".gguf");
    try {
      Files.write(path, bytes);
      Mutations.check(path.toString(), () -> load(path), RuntimeException.class);
      Mutations.check(
          path.toString(), () -> Tokenizers.load(path).encode("a text"), RuntimeException.class);
    } finally {
      Files.delete(path);
    }
  }

  private static void load(Path path) throws IOException {
    try (Scope scope = Scope.open();
        Model model = Models.load(path)) {
      model.parameterCount();
    }
  }
}
