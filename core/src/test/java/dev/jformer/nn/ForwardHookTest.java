package dev.jformer.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class ForwardHookTest {
  private static CausalLm model() {
    CausalLm.Config c = new CausalLm.Config();
    return c.with(x -> x.vocab(11).length(6).tied(true))
        .withStack(s -> s.layers(2).width(8))
        .withBlock(b -> b.bias(true).dropout(0))
        .build();
  }

  @Test
  void seesWhatLayersGiveAndLeavesNoTrace() {
    CausalLm model = model();
    Tensor ids = Tensor.zeros(DType.INT64, 1, 5);
    Map<String, Module> before = new LinkedHashMap<>(model.modules());
    Tensor plain = model.logits(ids);
    Map<String, Tensor> seen = new LinkedHashMap<>();
    try (ForwardHook probe =
        ForwardHook.on(
            model,
            name -> name.equals("norm") || name.endsWith(".output"),
            output -> seen.put(output.layer(), output.output()))) {
      assertTrue(plain.sameAs(model.logits(ids)), "looking changes nothing");
    }
    assertEquals(
        List.of("blocks.0.output", "blocks.1.output", "norm"), new ArrayList<>(seen.keySet()));
    assertTrue(model.hidden(ids).sameAs(seen.get("norm")));
    assertEquals(before, model.modules());
  }

  @Test
  void outputsWithinBlocksEndWithThemInTrainingUnlessTheyAreKept() {
    CausalLm model = model();
    Tensor ids = Tensor.zeros(DType.INT64, 1, 5);
    List<Tensor> seen = new ArrayList<>();
    List<Tensor> kept = new ArrayList<>();
    Tensor logits;
    try (ForwardHook probe =
        ForwardHook.withGradients(
            model,
            name -> name.matches("blocks\\.\\d\\.mixer\\.out"),
            output -> {
              seen.add(output.input());
              kept.add(output.output().keep());
            })) {
      logits = model.logits(ids);
    }
    assertEquals(2, seen.size());
    seen.forEach(each -> assertTrue(each.isClosed(), "held until the end of the step"));
    logits.sum().add(kept.get(0).square().sum()).backward();
    double[] gradient =
        model.parameters().get("blocks.0.mixer.out.weight").value().grad().toDoubles();
    assertTrue(java.util.Arrays.stream(gradient).anyMatch(g -> g != 0));
    kept.forEach(Tensor::close);
  }

  @Test
  void outputsOfBlocksEndWithThemInInferenceMode() {
    CausalLm model = model();
    Tensor ids = Tensor.zeros(DType.INT64, 1, 5);
    Tensor expected = model.logits(ids);
    List<Tensor> seen = new ArrayList<>();
    try (Mode mode = Autograd.inference();
        ForwardHook probe =
            ForwardHook.on(
                model,
                name -> name.equals("blocks.0.output"),
                output -> seen.add(output.output()))) {
      assertTrue(expected.sameAs(model.logits(ids)));
    }
    assertTrue(seen.get(0).isClosed());
  }

  @Test
  void refusesNamesThatNoLayerHas() {
    CausalLm model = model();
    var error =
        assertThrows(
            IllegalArgumentException.class,
            () -> ForwardHook.on(model, name -> name.equals("nrm"), output -> {}));
    assertTrue(error.getMessage().contains("norm"), error.getMessage());
  }
}
