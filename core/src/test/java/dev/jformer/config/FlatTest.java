package dev.jformer.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.IdentityMixer;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.BlockConfig;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.HasBlocks;
import dev.jformer.model.HasStack;
import dev.jformer.model.Model;
import dev.jformer.model.NormPlacement;
import dev.jformer.model.StackConfig;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FlatTest {
  record Outer(String name, @Flat Middle middle, int last) {
    Outer() {
      this("x", new Middle(5, new Inner(6, 0.5)), 1);
    }
  }

  record Middle(int count, @Flat Inner inner) {
    Middle() {
      this(2, new Inner());
    }
  }

  record Inner(@FormerNames("deepness") int depth, double rate) {
    Inner() {
      this(3, 0);
    }

    Inner {
      Checks.probability("rate", rate);
    }
  }

  record Nested(Outer outer) {
    Nested() {
      this(new Outer());
    }
  }

  private static String refusal(String json, Class<?> kind) {
    return assertThrows(ConfigException.class, () -> Configs.parse(json, kind)).getMessage();
  }

  @Test
  void fieldsOfFlatComponentsStandBesideTheOthers() {
    assertEquals(
        "{\"name\":\"x\",\"count\":5,\"depth\":6,\"rate\":0.5,\"last\":1}",
        Configs.write(new Outer()).toString());
    assertEquals(
        new Outer("y", new Middle(5, new Inner(9, 0.5)), 1),
        Configs.parse("{\"name\": \"y\", \"depth\": 9}", Outer.class),
        "what is left out is as in the outer record's defaults");
    assertEquals(
        new Outer("x", new Middle(5, new Inner(4, 0.5)), 1),
        Configs.parse("{\"deepness\": 4}", Outer.class));
  }

  @Test
  void errorsNameTheFieldWithoutTheHiddenLevel() {
    assertEquals(
        "outer: rate is 2.0: expected a probability in [0, 1)",
        refusal("{\"outer\": {\"rate\": 2}}", Nested.class));
    assertEquals(
        "outer.depth is \"a\": expected an integer",
        refusal("{\"outer\": {\"depth\": \"a\"}}", Nested.class));
    String unknown = refusal("{\"outer\": {\"deph\": 1}}", Nested.class);
    assertTrue(unknown.contains("outer.deph is not a known field; did you mean 'depth'?"), unknown);
    assertTrue(unknown.endsWith("(known: name, count, depth, rate, last)"), unknown);
    String level = refusal("{\"middle\": {\"depth\": 1}}", Outer.class);
    assertTrue(level.contains("middle is not a known field"), level);
  }

  @Test
  void replaceReachesIntoFlatComponents() {
    Outer other = Configs.replace(new Outer(), Inner.class, inner -> new Inner(1, 0));
    assertEquals(new Inner(1, 0), other.middle().inner());
    CausalLm.Config model =
        Configs.replace(
            new CausalLm.Config(), TokenMixer.Config.class, m -> new IdentityMixer.Config());
    assertEquals(new IdentityMixer.Config(), model.mixer());
  }

  @Test
  void noTwoFieldsOfAModelShareAName() {
    for (Model.Config model : Configs.parts(Model.Config.class).values()) {
      List<String> names =
          Configs.fields(model.getClass()).stream().map(ConfigField::name).toList();
      assertEquals(names.size(), new HashSet<>(names).size(), model.type() + " " + names);
      assertFalse(names.contains("model"), model.type());
    }
  }

  @Test
  void aPartOfAKnownClassMayBeNamedAllTheSame() {
    String json = "{\"model\": \"causal-lm\", \"vocab\": 9}";
    assertEquals(new CausalLm.Config().withVocab(9), Configs.parse(json, CausalLm.Config.class));
    assertEquals(
        new SoftmaxAttention.Config(2, 0),
        Configs.parse("{\"type\": \"softmax\", \"heads\": 2}", SoftmaxAttention.Config.class));
    assertEquals(
        "model is 'encoder': expected 'causal-lm'",
        refusal("{\"model\": \"encoder\", \"vocab\": 9}", CausalLm.Config.class));
  }

  @Test
  void blocksOfAnyModelCanBeExchanged() {
    for (Model.Config model : Configs.parts(Model.Config.class).values()) {
      if (model instanceof HasBlocks<?> blocks && blocks.placement() == NormPlacement.PRE) {
        Model.Config other = blocks.withBlock(b -> b.mixer(new IdentityMixer.Config()));
        assertEquals(model.getClass(), other.getClass());
        assertEquals(new IdentityMixer.Config(), ((HasBlocks<?>) other).mixer(), model.type());
      }
      if (model instanceof HasStack<?> stack) {
        Model.Config deeper = stack.withStack(s -> s.layers(7));
        assertEquals(7, ((HasStack<?>) deeper).layers(), model.type());
        assertEquals(stack.block(), ((HasStack<?>) deeper).block(), model.type());
      }
    }
  }

  @Test
  void withersCheckTheValues() {
    CausalLm.Config config =
        new CausalLm.Config().withVocab(9).withStack(s -> s.layers(2).width(8));
    assertEquals(new StackConfig().with(s -> s.layers(2).width(8)), config.stack());
    assertEquals(9, config.vocab());
    String message =
        assertThrows(IllegalArgumentException.class, () -> config.withStack(s -> s.layers(0)))
            .getMessage();
    assertEquals("layers is 0: expected 1 to 10000", message);
    assertThrows(IllegalArgumentException.class, () -> config.withBlock((BlockConfig) null));
    assertThrows(IllegalArgumentException.class, () -> new Encoder.Config().withVocab(2));
  }

  @Test
  void fieldsAreListedWithTheirDefaults() {
    assertEquals(
        List.of(
            "heads=4 Integer",
            "keyValueHeads=0 Integer",
            "cache=Config[] Config",
            "headDim=0 Integer",
            "qkvBias=false Boolean",
            "outBias=false Boolean",
            "queryKeyNorm=NoNormConfig[] NoNormConfig",
            "window=0 Integer",
            "scale=0.0 Double",
            "logitCap=0.0 Double"),
        Configs.fields(SoftmaxAttention.Config.class).stream()
            .map(f -> f.name() + "=" + f.value() + " " + f.value().getClass().getSimpleName())
            .toList());
    Map<String, ConfigField> fields = new HashMap<>();
    Configs.fields(new CausalLm.Config()).forEach(field -> fields.put(field.name(), field));
    assertEquals(BlockConfig.class, fields.get("mixer").owner());
    assertEquals(Optional.of(TokenMixer.Config.class), fields.get("mixer").kind());
    assertEquals(Optional.empty(), fields.get("layers").kind());
    assertEquals(4, fields.get("layers").value());
  }
}
