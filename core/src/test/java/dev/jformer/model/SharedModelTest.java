package dev.jformer.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.jformer.config.Configs;
import dev.jformer.ffn.expert.EmergentExperts;
import dev.jformer.nn.Projection;
import dev.jformer.nn.factorized.DenseSparseLinear;
import dev.jformer.nn.sparse.SparseLinear;
import dev.jformer.position.Position;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Threads that share a model in inference get what one thread alone gets. */
class SharedModelTest {
  private static final int THREADS = 4;
  private static final int ROUNDS = 15;

  static Stream<BlockConfig> blocks() {
    List<BlockConfig> blocks = new ArrayList<>();
    BlockConfig plain = new BlockConfig();
    for (Projection projection : Configs.parts(Projection.class).values()) {
      blocks.add(plain.withProjection(projection));
    }
    blocks.add(
        plain.withProjection(new SparseLinear.Config(0.5, 0, 0, 32, SparseLinear.Execution.DENSE)));
    for (DenseSparseLinear.Execution execution : DenseSparseLinear.Execution.values()) {
      blocks.add(plain.withProjection(new DenseSparseLinear.Config().withExecution(execution)));
    }
    blocks.add(plain.withFfn(new EmergentExperts.Config()));
    return blocks.stream();
  }

  static Stream<Position.Config> positions() {
    return Configs.parts(Position.Config.class).values().stream();
  }

  @ParameterizedTest
  @MethodSource("blocks")
  void threadsMayShareLayers(BlockConfig block) throws Exception {
    check(config().withStack(s -> s.block(block)));
  }

  @ParameterizedTest
  @MethodSource("positions")
  void threadsMaySharePositions(Position.Config position) throws Exception {
    check(config().withStack(s -> s.position(position)));
  }

  private static CausalLm.Config config() {
    return new CausalLm.Config()
        .with(c -> c.vocab(50).length(96))
        .withStack(s -> s.layers(2).width(64));
  }

  private static void check(CausalLm.Config config) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      // What is derived from weights is made at the first use, so each round has a new model.
      for (int round = 0; round < ROUNDS; round++) {
        Random.seed(round);
        try (CausalLm model = config.build();
            CausalLm other = copy(config, model)) {
          model.train(false);
          other.train(false);
          int length = 65 + round;
          float[] expected = logits(other, length);
          CyclicBarrier start = new CyclicBarrier(THREADS);
          List<Future<float[]>> found = new ArrayList<>();
          for (int i = 0; i < THREADS; i++) {
            found.add(
                threads.submit(
                    () -> {
                      start.await();
                      return logits(model, length);
                    }));
          }
          for (Future<float[]> each : found) {
            assertArrayEquals(expected, each.get(), 1e-5f);
          }
        }
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private static CausalLm copy(CausalLm.Config config, CausalLm model) {
    CausalLm other = config.build();
    other.parameters().forEach((name, p) -> p.copyFrom(model.parameters().get(name).value()));
    return other;
  }

  private static float[] logits(CausalLm model, int length) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      return model.logits(Tensor.arange(0, length).remainder(50).view(1, length)).toFloats();
    }
  }
}
