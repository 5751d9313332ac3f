package dev.jformer.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.Pooling;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.HasBlocks;
import dev.jformer.model.forecast.ITransformer;
import dev.jformer.model.forecast.LinearForecaster;
import dev.jformer.nn.Activation;
import dev.jformer.run.Recipe;
import dev.jformer.train.AdamW;
import dev.jformer.train.Sgd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class FieldPathTest {
  private static Recipe set(String json, String... settings) {
    ObjectNode tree = (ObjectNode) Configs.tree(json);
    for (String setting : settings) {
      int sign = setting.indexOf('=');
      Configs.set(tree, Recipe.class, setting.substring(0, sign), setting.substring(sign + 1));
    }
    return Configs.bind(tree, Recipe.class);
  }

  private static String refusal(String setting) {
    return assertThrows(ConfigException.class, () -> set("{}", setting)).getMessage();
  }

  /** Recipes of models with blocks. */
  private static java.util.List<String> recipes() {
    return Recipe.names().stream()
        .filter(name -> set(Recipe.tree(name).toString()).model() instanceof HasBlocks)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("recipes")
  void anyRecipeCanBeSet(String recipe) {
    String json = Recipe.tree(recipe).toString();
    for (String way :
        new String[] {
          "model.mixer=pooling", "model.mixer.type=pooling", "model.mixer={type: pooling}"
        }) {
      HasBlocks<?> model = (HasBlocks<?>) set(json, way).model();
      assertEquals(new Pooling.Config(), model.mixer(), way);
      HasBlocks<?> larger = (HasBlocks<?>) set(json, way, "model.mixer.size=5").model();
      assertEquals(new Pooling.Config(5), larger.mixer(), way);
    }
    Mlp.Config ffn =
        (Mlp.Config)
            ((HasBlocks<?>) set(json, "model.ffn=mlp", "model.ffn.activation=relu").model()).ffn();
    assertEquals(Activation.RELU, ffn.activation());
    assertEquals(new LinearForecaster.Config(), set(json, "model=linear-forecaster").model());
    assertEquals(
        new LinearForecaster.Config().withAverage(3),
        set(json, "model.model=linear-forecaster", "model.average=3").model());
    assertEquals(7, set(json, "training.steps=7").training().steps());
  }

  @Test
  void fieldsOfPartsKeepWhatIsNotSet() {
    String json =
        "{\"model\": {\"model\": \"causal-lm\", \"mixer\": {\"type\": \"softmax\", \"heads\": 8}}}";
    assertEquals(
        new SoftmaxAttention.Config(8, 2),
        ((CausalLm.Config) set(json, "model.mixer.keyValueHeads=2").model()).mixer());
    assertEquals(
        new SoftmaxAttention.Config(8, 2),
        ((CausalLm.Config) set(json, "model.mixer={keyValueHeads: 2}").model()).mixer());
    assertEquals(
        new SoftmaxAttention.Config(),
        ((CausalLm.Config) set(json, "model.mixer={type: softmax}").model()).mixer());
    assertEquals(
        new AdamW.Config().with(c -> c.weightDecay(0.3)),
        set(json, "training.optimizer.weightDecay=0.3").training().optimizer());
    assertEquals(
        new Sgd.Config(0.5, false, 0),
        set(json, "training.optimizer=sgd", "training.optimizer.momentum=0.5")
            .training()
            .optimizer());
    assertEquals("2024", set(json, "data.source=2024").data().source());
    assertEquals("a b", set(json, "data.source=\"a b\"").data().source());
  }

  @Test
  void aPartThatADefaultNamesIsSetWithoutItsType() {
    ITransformer.Config model =
        (ITransformer.Config) set("{}", "model=itransformer", "model.mixer.heads=2").model();
    assertEquals(new SoftmaxAttention.Config(2, 0), model.mixer());
  }

  @Test
  void whatIsWrongIsNamed() {
    String known = refusal("model.mixer=poolng");
    assertEquals(
        "model.mixer is 'poolng', which is not known; did you mean 'pooling'?",
        known.substring(0, known.indexOf(" (known: ")));
    assertEquals(
        "model.mxer is not a known field; did you mean 'mixer'?",
        refusal("model.mxer=pooling").replaceAll(" \\(known.*", ""));
    assertEquals(
        "model.model is 'linear-forecastr', which is not known; did you mean 'linear-forecaster'?",
        refusal("model.model=linear-forecastr").replaceAll(" \\(known.*", ""));
    assertEquals("model.layers has no fields: set it as a whole", refusal("model.layers.x=1"));
    assertEquals("model.layers is \"many\": expected an integer", refusal("model.layers=many"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"{type: pooling", "[1, 2", "{type pooling}", "{a: 1} b", "{a: \"b}", "{: 1}"})
  void objectsThatDoNotEndAreRefused(String text) {
    assertThrows(ConfigException.class, () -> FlowText.parse(text), text);
  }

  @Test
  void quotesMayBeLeftOut() {
    assertEquals(
        Configs.tree("{\"a\": [1, \"two words\", true, null, {\"b\": \"c: d\"}], \"e\": -1.5}"),
        FlowText.parse("{a: [1, two words, true, null, {b: 'c: d'}], \"e\": -1.5}"));
    assertEquals(Configs.tree("[]"), FlowText.parse(" [ ] "));
    assertEquals(Configs.tree("\"relu\""), FlowText.parse("relu"));
    assertEquals(Configs.tree("3"), FlowText.parse("3"));
  }
}
