package dev.jformer.compress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Methods one after the other: each pair of all that there are either makes a model that is saved
 * and loaded as it is, or says why not.
 */
@ExtendWith(Scoped.class)
class CompositionTest {
  private static final String LANGUAGE =
      "{'model':'causal-lm','layers':2,'width':32,'vocab':11,'length':8,'mixer':{'heads':2}}";
  private static final String ENCODER =
      "{'model':'encoder','layers':2,'width':32,'vocab':11,'length':8,'mixer':{'heads':2},"
          + "'head':{'fillsIn':false}}";

  /** Pairs that must stack, by the model they are for. */
  private static final Map<String, List<String>> STACK =
      Map.of(
          LANGUAGE,
          List.of(
              "magnitude weight-int8",
              "n-m weight-int8",
              "random-prune weight-int8",
              "ifm llm-int8",
              "ifm magnitude",
              "ifm dsformer",
              "prune-neurons weight-int4",
              "dsformer weight-int8",
              "llm-int8 staircase-cache",
              "magnitude dense"),
          ENCODER,
          List.of("zero-tprune llm-int8", "ifm zero-tprune", "zero-tprune magnitude"));

  @TempDir private Path folder;

  static Stream<String> models() {
    return Stream.of(LANGUAGE, ENCODER);
  }

  private static Model model(String config) {
    Random.seed(3);
    Model model = Configs.parse(config.replace('\'', '"'), Model.Config.class).build();
    model.train(false);
    return model;
  }

  /** All methods with their defaults, but for the one that searches long. */
  private static Map<String, Compression> methods() {
    Map<String, Compression> methods = new TreeMap<>(Configs.parts(Compression.class));
    methods.put(
        "llm-fp4",
        Configs.parse("{\"type\":\"llm-fp4\",\"candidates\":2,\"rounds\":1}", Compression.class));
    return methods;
  }

  private static Tensor outputs(Model model, Tensor ids) {
    return model instanceof Encoder encoder
        ? encoder.hidden(ids, null)
        : ((CausalLm) model).logits(ids);
  }

  private static CalibrationData data(Tensor ids) {
    return new CalibrationData() {
      @Override
      public void run(Model model) {
        outputs(model, ids);
      }

      @Override
      public Tensor loss(Model model) {
        return outputs(model, ids).square().mean();
      }
    };
  }

  /** What came of a method; null if it refused and said why. */
  private static Model made(Compression method, Model model, CalibrationData data) {
    try {
      return method.apply(model, data);
    } catch (IllegalArgumentException | ConfigException e) {
      assertTrue(e.getMessage().length() > 20, method.type() + " says only: " + e.getMessage());
      return null;
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void pairsWorkAndAreLoadedAsTheyWereSavedOrSayWhyNot(String config) throws IOException {
    Tensor ids = Tensor.randint(0, 11, 2, 8);
    CalibrationData data = data(ids);
    TreeSet<String> stacked = new TreeSet<>();
    try (Model model = model(config)) {
      Tensor before = outputs(model, ids).detach().copy();
      for (Compression first : methods().values()) {
        Model once = made(first, model, data);
        if (once == null) {
          continue;
        }
        for (Compression second : methods().values()) {
          Model twice = made(second, once, data);
          if (twice != null) {
            String pair = first.type() + " " + second.type();
            same(pair, twice, ids);
            stacked.add(pair);
            twice.close();
          }
        }
        once.close();
      }
      assertEquals(0, before.sub(outputs(model, ids)).abs().max().item(), "the model was changed");
    }
    for (String pair : STACK.get(config)) {
      assertTrue(stacked.contains(pair), pair + " is not among " + stacked);
    }
  }

  private void same(String name, Model model, Tensor ids) throws IOException {
    Path to = folder.resolve(name.replace(' ', '+'));
    Tensor expected = outputs(model, ids);
    assertTrue(Double.isFinite(expected.sum().item()), name);
    Models.save(model, to);
    try (Model loaded = Models.load(to)) {
      assertEquals(model.config(), loaded.config(), name);
      double apart = expected.sub(outputs(loaded, ids)).abs().max().item();
      assertEquals(0, apart, 1e-6, name);
    }
  }

  @Test
  void threeStackToo() throws IOException {
    Tensor ids = Tensor.randint(0, 11, 2, 8);
    Model model = model(ENCODER);
    for (String type : List.of("zero-tprune", "ifm", "magnitude", "weight-int8")) {
      model = methods().get(type).apply(model, data(ids));
    }
    same("four", model, ids);
  }
}
