package dev.jformer.io;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.JsonMutations;
import dev.jformer.testing.Mutations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * A damaged index of shards is refused in a line, or all that it names is in the shards. Damaged
 * shards are {@link SafetensorsFuzzTest}'s.
 */
class ShardIndexFuzzTest {
  private static final String INDEX = "model.safetensors.index.json";
  private static final AtomicInteger TRIED = new AtomicInteger();
  private static final AtomicInteger READ = new AtomicInteger();
  private static Path folder;
  private static byte[] index;

  @BeforeContainer
  static void create() throws IOException {
    folder = Files.createTempDirectory("jformer-fuzz");
    try (Scope scope = Scope.open()) {
      Map<String, Tensor> tensors =
          Map.of(
              "a.weight", Tensor.randn(4, 5), "b.weight", Tensor.randn(20), "é", Tensor.randn(9));
      Weights.save(folder, tensors, Map.of("format", "pt"), Map.of(), 80);
    }
    index = Files.readAllBytes(folder.resolve(INDEX));
  }

  @AfterContainer
  static void clean() throws IOException {
    FileTree.delete(folder);
    System.out.println("ShardIndexFuzzTest: " + READ + " of " + TRIED + " damaged indexes read");
  }

  @Provide
  Arbitrary<byte[]> damaged() {
    return Arbitraries.oneOf(JsonMutations.of(List.of(index)), Mutations.of(List.of(index)));
  }

  @Property
  void areReadOrRefused(@ForAll("damaged") byte[] content) {
    Mutations.check(
        folder.toString(), // a refusal names it, an accident does not
        () -> {
          TRIED.incrementAndGet();
          Path file = folder.resolve(INDEX);
          Files.delete(file);
          Files.write(file, content);
          try (Scope scope = Scope.open();
              Weights weights = Weights.open(folder)) {
            for (String name : weights.names()) {
              assertEquals(weights.shape(name), weights.tensor(name).shape());
            }
            READ.incrementAndGet();
          }
        },
        Exception.class);
  }
}
