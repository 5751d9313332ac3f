package dev.jformer.mixer.linear;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.io.SafetensorsFile;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is Flow-Attention's own; the rest is in {@link KernelAttentionTest}. */
@ExtendWith(Scoped.class)
class FlowAttentionTest {
  /** Values that the authors' code computed; tools/fixtures/make_flow_attention.py wrote them. */
  private static final Path AUTHORS =
      Path.of("src/test/resources/dev/jformer/mixer/linear/flow.safetensors");

  private static TokenMixer flow(BlockContext context, int heads) {
    return new FlowAttention.Config(heads).build(context, new NoPosition());
  }

  @ParameterizedTest
  @ValueSource(strings = {"both", "causal"})
  void isTheAuthors(String form) throws IOException {
    TokenMixer mixer = flow(form.equals("causal") ? Sites.causal(6) : Sites.bidirectional(6), 2);
    try (SafetensorsFile authors = SafetensorsFile.open(AUTHORS)) {
      mixer.parameters().forEach((name, p) -> p.replace(authors.tensor(form + "." + name).copy()));
      Tensor x = authors.tensor(form + ".x").copy().requiresGrad(true);
      Tensor output = mixer.forward(x, null);
      assertClose(authors.tensor(form + ".output"), output.detach(), 1e-12);
      output.backward(authors.tensor(form + ".direction"));
      assertClose(authors.tensor(form + ".grad.x"), x.grad(), 1e-10);
      mixer
          .parameters()
          .forEach(
              (name, p) ->
                  assertClose(
                      authors.tensor(form + ".grad." + name).toDoubles(),
                      p.value().grad(),
                      1e-10,
                      name));
    }
  }

  /**
   * Conservation. Where all keys are equal, sources are equally strong, so that the weights of sink
   * i add up to sigmoid(Î_i); and each source gives one unit in all, so that Σ_i Î_i = T, but for
   * the 1e-6 in every flow.
   */
  @Test
  void everySourceGivesOneUnit() {
    TokenMixer mixer = flow(Sites.bidirectional(8), 2);
    Weights.draw(mixer);
    mixer.parameters().get("qkv.weight").value().detach().narrow(0, 8, 8).zero_();
    Tensor x = Tensor.randn(1, 40, 8).to(DType.FLOAT64);
    Tensor allocation = mixer.weights(x, null).detach().sum(3, false);
    Tensor conserved = allocation.log().sub(allocation.neg().add(1.0).log());
    assertClose(new double[] {40, 40}, conserved.sum(2, false).squeeze(0), 1e-4);
  }

  /** Saturated features leave flows of almost nothing, which 1e-6 keeps from dividing by zero. */
  @Test
  void extremeInputsStayFinite() {
    for (BlockContext context : new BlockContext[] {Sites.causal(8), Sites.bidirectional(8)}) {
      TokenMixer mixer = flow(context, 2);
      mixer.parameters().get("qkv.bias").value().detach().narrow(0, 0, 16).fill_(-300);
      Tensor x = Tensor.randn(1, 200, 8).requiresGrad(true);
      Tensor y = mixer.forward(x, null);
      y.square().sum().backward();
      assertTrue(y.isFinite().all(), "outputs");
      assertTrue(x.grad().isFinite().all(), "gradients");
    }
  }
}
