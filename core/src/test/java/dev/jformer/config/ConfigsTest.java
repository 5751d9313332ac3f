package dev.jformer.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.model.NormPlacement;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Projection;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigsTest {
  /** Every kind of field there is. */
  record All(
      boolean flag,
      int count,
      long big,
      double rate,
      String name,
      Integer perhaps,
      String note,
      NormPlacement placement,
      List<Integer> numbers,
      List<Inner> inners,
      Inner inner,
      Position.Config position,
      TokenMixer.Config optional) {
    All() {
      this(
          true,
          3,
          4,
          0.5,
          "x",
          null,
          null,
          NormPlacement.PRE,
          List.of(1),
          List.of(),
          new Inner(),
          new Rope.Config(),
          null);
    }
  }

  record Inner(int depth, Activation activation) {
    Inner() {
      this(7, Activation.GELU);
    }

    Inner {
      if (depth < 0) {
        throw new IllegalArgumentException("depth is " + depth + ": expected at least 0");
      }
    }
  }

  private static All all(String json) {
    return Configs.parse(json, All.class);
  }

  private static String refusal(String json, Class<?> kind) {
    String message =
        assertThrows(ConfigException.class, () -> Configs.parse(json, kind), json).getMessage();
    assertFalse(message.contains("\n") || message.contains("\r"), "one line: " + message);
    return message;
  }

  private static void refuses(String json, Class<?> kind, String... fragments) {
    String message = refusal(json, kind);
    for (String fragment : fragments) {
      assertTrue(message.contains(fragment), "'" + message + "' does not say '" + fragment + "'");
    }
  }

  @Test
  void anEmptyObjectGivesTheDefaults() {
    assertEquals(new All(), all("{}"));
    assertEquals(
        new CausalLm.Config(), Configs.parse("{\"model\":\"causal-lm\"}", Model.Config.class));
  }

  @Test
  void everyKindOfFieldIsRead() {
    All read =
        all(
            """
            {"flag": false, "count": -5, "big": 9007199254740993, "rate": 1e-3, "name": "é\\n",
             "perhaps": 4, "note": "n", "placement": "post", "numbers": [3, 2.0],
             "inners": [{"depth": 1}, {}], "inner": {"activation": "gelu-tanh"},
             "position": {"type": "learned", "deviation": 1}, "optional": {"type": "softmax"}}
            """);
    assertEquals(
        new All(
            false,
            -5,
            9007199254740993L,
            1e-3,
            "é\n",
            4,
            "n",
            NormPlacement.POST,
            List.of(3, 2),
            List.of(new Inner(1, Activation.GELU), new Inner()),
            new Inner(7, Activation.GELU_TANH),
            new dev.jformer.position.LearnedPosition.Config(1),
            new SoftmaxAttention.Config()),
        read);
    assertEquals(read, all(Configs.toJson(read)), "and written back");
  }

  @Test
  void nestedPartsKeepWhatIsNotGiven() {
    CausalLm.Config config =
        (CausalLm.Config)
            Configs.parse(
                """
                {"model": "causal-lm", "width": 48, "position": {"type": "rope", "base": 500},
                 "mixer": {"heads": 6}, "ffn": {"type": "gated-mlp", "hidden": 96},
                 "norm": {"type": "rms"}, "init": {"deviation": 0.1}}
                """,
                Model.Config.class);
    assertEquals(48, config.width());
    assertEquals(new CausalLm.Config().layers(), config.layers());
    assertEquals(new Rope.Config(500), config.position());
    assertEquals(new SoftmaxAttention.Config(6, 0), config.mixer(), "the default's type is kept");
    assertEquals(new GatedMlp.Config(Activation.SILU, 8.0 / 3, 96), config.ffn());
    assertEquals(new Norm.RmsNormConfig(), config.norm());
    assertEquals(0.1, config.init().deviation());
    assertTrue(config.init().scaleResidual());
  }

  @Test
  void everyPartRoundTrips() {
    roundTrips(Position.Config.class);
    roundTrips(TokenMixer.Config.class);
    roundTrips(ChannelMixer.Config.class);
    roundTrips(Norm.Config.class);
    roundTrips(Model.Config.class);
    roundTrips(Projection.class);
    assertTrue(
        Configs.parts(Position.Config.class)
            .keySet()
            .containsAll(List.of("alibi", "learned", "none", "rope", "sinusoidal")));
    assertTrue(Configs.parts(TokenMixer.Config.class).containsKey("softmax"));
    assertTrue(
        Configs.parts(ChannelMixer.Config.class).keySet().containsAll(List.of("gated-mlp", "mlp")));
    assertTrue(
        Configs.parts(Norm.Config.class).keySet().containsAll(List.of("layer", "none", "rms")));
    assertTrue(Configs.parts(Model.Config.class).containsKey("causal-lm"));
  }

  private static <P extends Part> void roundTrips(Class<P> kind) {
    Configs.parts(kind)
        .forEach(
            (name, part) -> {
              assertEquals(name, part.type());
              assertEquals(part, Configs.parse(Configs.toJson(part), kind), name);
              String key = kind == Model.Config.class ? "model" : "type";
              assertEquals(name, Configs.write(part).get(key).textValue());
              assertEquals(
                  part, Configs.parse("{\"" + key + "\": \"" + name + "\"}", kind), "defaults");
            });
  }

  @Test
  void unknownFieldsAreHinted() {
    refuses(
        "{\"model\": \"causal-lm\", \"widht\": 4}",
        Model.Config.class,
        "widht",
        "'width'",
        "known:");
    refuses(
        "{\"model\": \"causal-lm\", \"mixer\": {\"type\": \"softmax\", \"head\": 4}}",
        Model.Config.class,
        "mixer.head",
        "'heads'");
    refuses("{\"inners\": [{}, {\"dept\": 1}]}", All.class, "inners[1].dept", "'depth'");
    String far = refusal("{\"zzzzzzzzz\": 1}", All.class);
    assertFalse(far.contains("did you mean"), far);
  }

  @Test
  void unknownTypesAreHinted() {
    refuses("{\"model\": \"causl-lm\"}", Model.Config.class, "causl-lm", "'causal-lm'");
    refuses("{\"position\": {\"type\": \"rop\"}}", All.class, "position.type", "rop", "'rope'");
    refuses("{}", Model.Config.class, "'model'");
    refuses("{\"optional\": {\"heads\": 2}}", All.class, "optional", "'type'");
    refuses("{\"position\": {\"type\": 5}}", All.class, "position.type", "5", "a string");
    refuses("{\"position\": {\"type\": null}}", All.class, "position.type", "null");
    refuses("{\"placement\": \"PRE\"}", All.class, "placement", "PRE", "pre, post");
  }

  @Test
  void wrongKindsAreNamed() {
    refuses("{\"count\": \"3\"}", All.class, "count", "\"3\"", "an integer");
    refuses("{\"count\": 3.5}", All.class, "count", "3.5", "an integer");
    refuses("{\"count\": 3000000000}", All.class, "count", "3000000000");
    refuses("{\"count\": null}", All.class, "count", "null");
    refuses("{\"big\": 1e30}", All.class, "big", "an integer");
    refuses("{\"rate\": \"0.1\"}", All.class, "rate", "a number");
    refuses("{\"rate\": 1e999}", All.class, "rate", "a number");
    refuses("{\"flag\": 1}", All.class, "flag", "true or false");
    refuses("{\"name\": 1}", All.class, "name", "a string");
    refuses("{\"numbers\": 1}", All.class, "numbers", "a list");
    refuses("{\"numbers\": [1, \"2\"]}", All.class, "numbers[1]");
    refuses("{\"inner\": []}", All.class, "inner", "an object");
    refuses("{\"inner\": {\"depth\": -1}}", All.class, "inner", "depth is -1");
    refuses("{\"position\": \"rope\"}", All.class, "position", "an object");
    refuses("[]", All.class, "an object");
    refuses("3", Model.Config.class, "an object");
    refuses("null", All.class, "null");
  }

  @Test
  void nullIsForFieldsThatHaveItAsDefault() {
    assertNull(all("{\"perhaps\": null}").perhaps());
    assertNull(all("{\"note\": null}").note());
    assertNull(all("{\"optional\": null}").optional());
    for (String field :
        List.of("name", "placement", "numbers", "inners", "inner", "position", "flag", "rate")) {
      refuses("{\"" + field + "\": null}", All.class, field, "null");
    }
    refuses("{\"numbers\": [null]}", All.class, "numbers[0]", "null");
    refuses("{\"inners\": [null]}", All.class, "inners[0]", "null");
    refuses(
        "{\"model\": \"causal-lm\", \"ffn\": {\"type\": \"mlp\", \"activation\": null}}",
        Model.Config.class,
        "ffn.activation",
        "null");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "{\"count\": 1,}",
        "{\"count\": 1} {}",
        "{\"count\": 1} x",
        "{'count': 1}",
        "{\"count\": 01}",
        "{\"rate\": NaN}",
        "\u0000",
        "{\"a\nb\": 1}",
        "{\"a\\nb\": 1}",
        "{\"note\": \"a\nb\"}",
        "{\"count\": \"\\u2028\\r\\n\"}"
      })
  void brokenTextIsRefusedInOneLine(String json) {
    refusal(json, All.class);
  }

  @Test
  void duplicatesAreRefused() {
    refuses("{\"count\": 1, \"count\": 1}", All.class, "count");
    refuses("{\"inner\": {\"depth\": 1, \"depth\": 2}}", All.class, "depth");
  }

  @Test
  void deepAndLongTextIsRefusedQuickly() {
    refusal("{\"inner\":".repeat(200_000), All.class);
    refusal("[".repeat(200_000), All.class);
    String message = refusal("{\"" + "x".repeat(100_000) + "\": 1}", All.class);
    assertTrue(message.length() < 1000, message.length() + " characters");
    message = refusal("{\"count\": \"" + "y".repeat(100_000) + "\"}", All.class);
    assertTrue(message.length() < 1000, message.length() + " characters");
    refusal("{\"count\": " + "9".repeat(5000) + "}", All.class);
  }

  @Test
  void filesAreNamedInErrors(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("c.json"), "{\"count\": true}");
    var wrong = assertThrows(ConfigException.class, () -> Configs.read(file, All.class));
    assertTrue(wrong.getMessage().startsWith(file + ": "), wrong.getMessage());
    Path missing = folder.resolve("missing.json");
    var absent = assertThrows(ConfigException.class, () -> Configs.read(missing, All.class));
    assertTrue(absent.getMessage().contains(missing.toString()), absent.getMessage());
    Path binary = Files.write(folder.resolve("b.json"), new byte[] {(byte) 0xFF, (byte) 0xFE, 0});
    assertThrows(ConfigException.class, () -> Configs.read(binary, All.class));
    Files.writeString(file, "{\"count\": 9}");
    assertEquals(9, Configs.read(file, All.class).count());
  }

  /** Whatever stands in the text: a valid configuration or a ConfigException of one line. */
  @Test
  void mutatedConfigurationsAreReadOrRefused() {
    long seed = Long.getLong("jformer.test.seed", System.nanoTime());
    Random random = new Random(seed);
    List<String> originals = new ArrayList<>();
    originals.add(Configs.toJson(new CausalLm.Config()));
    for (var position : Configs.parts(Position.Config.class).values()) {
      for (var norm : Configs.parts(Norm.Config.class).values()) {
        CausalLm.Config c = new CausalLm.Config();
        originals.add(
            Configs.write(
                    c.with(x -> x.vocab(9).length(10).tied(true))
                        .withStack(s -> s.layers(2).width(8).position(position))
                        .withBlock(
                            b -> b.ffn(new Mlp.Config()).norm(norm).bias(false).dropout(0.1)))
                .toString());
      }
    }
    int valid = 0;
    for (int i = 0; i < 5000; i++) {
      String json = originals.get(random.nextInt(originals.size()));
      for (int n = 1 + random.nextInt(3); n > 0; n--) {
        json = mutate(json, random);
      }
      String what = "seed " + seed + ", mutation " + i + ": " + json;
      try {
        Model.Config config = Configs.parse(json, Model.Config.class);
        assertInstanceOf(CausalLm.Config.class, config, what);
        assertEquals(config, Configs.parse(Configs.toJson(config), Model.Config.class), what);
        valid++;
      } catch (ConfigException e) {
        assertFalse(e.getMessage() == null || e.getMessage().isBlank(), what);
        assertFalse(e.getMessage().contains("\n"), what + "\n" + e.getMessage());
        assertTrue(e.getMessage().length() < 2000, what);
      } catch (RuntimeException | Error e) {
        throw new AssertionError(what, e);
      }
    }
    assertTrue(valid > 100 && valid < 4900, "seed " + seed + ": " + valid + " of 5000 are valid");
  }

  private static final List<String> SPICE =
      List.of(
          "null",
          "-1",
          "0",
          "1e999",
          "-1e-999",
          "2147483648",
          "\"\"",
          "\"rope\"",
          "{}",
          "[]",
          "{\"type\":\"rope\"}",
          "true",
          "1.5",
          ",",
          ":",
          "{",
          "}",
          "]",
          "\"type\"",
          "\\u0000",
          "\"mixer\":",
          "é",
          "\n",
          "\u2028",
          "9".repeat(400),
          "'",
          "\\",
          "//",
          "NaN");

  private static String mutate(String json, Random random) {
    int from = random.nextInt(json.length() + 1);
    int to = Math.min(json.length(), from + random.nextInt(12));
    String spice = SPICE.get(random.nextInt(SPICE.size()));
    return switch (random.nextInt(6)) {
      case 0 -> json.substring(0, from) + json.substring(to);
      case 1 -> json.substring(0, from) + spice + json.substring(from);
      case 2 -> json.substring(0, from) + (char) random.nextInt(0x250) + json.substring(to);
      case 3 -> json.substring(0, to) + json.substring(from);
      default -> replaceValue(json, spice, random);
    };
  }

  /** Puts something else in a value's place: what stands between a colon and a comma or brace. */
  private static String replaceValue(String json, String spice, Random random) {
    int colon = json.indexOf(':', random.nextInt(json.length() + 1));
    if (colon < 0) {
      return json;
    }
    int end = colon + 1;
    while (end < json.length() && ",}".indexOf(json.charAt(end)) < 0) {
      end++;
    }
    String value = random.nextBoolean() ? spice : Integer.toString(random.nextInt(600) - 20);
    return json.substring(0, colon + 1) + value + json.substring(end);
  }

  @Test
  void distancesAreLevenshteins() {
    assertEquals(0, Nearest.distance("", ""));
    assertEquals(3, Nearest.distance("kitten", "sitting"));
    assertEquals(4, Nearest.distance("", "flow"));
    assertEquals(2, Nearest.distance("widht", "width"));
    assertEquals("; did you mean 'flow'?", Nearest.hint("flwo", List.of("flow", "softmax")));
    assertEquals("", Nearest.hint("convolution", List.of("flow", "softmax")));
    assertEquals("", Nearest.hint("x", List.of()));
  }

  @Test
  void exchangesAllPartsOfAKind() {
    CausalLm.Config model = new CausalLm.Config();
    assertEquals(model, Configs.replace(model, Position.Config.class, part -> part));
    CausalLm.Config changed =
        Configs.replace(model, Position.Config.class, part -> new Rope.Config());
    assertEquals(new Rope.Config(), changed.position());
    assertEquals(model, Configs.replace(changed, Position.Config.class, part -> model.position()));
    All nested = all("{\"inners\": [{\"depth\": 3}, {\"depth\": 4}]}");
    assertEquals(nested, Configs.replace(nested, Position.Config.class, part -> part));
    var error =
        assertThrows(
            ConfigException.class,
            () -> Configs.replace(model, Position.Config.class, part -> null));
    assertEquals("position is null: expected a value", error.getMessage());
  }
}
