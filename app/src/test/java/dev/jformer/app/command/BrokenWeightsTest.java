package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.config.Configs;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands given a model whose weights are not finite, or so large that they overflow. */
class BrokenWeightsTest {
  @TempDir Path folder;
  private Path text;

  @BeforeEach
  void text() throws IOException {
    text = folder.resolve("text.txt");
    Files.writeString(text, "All happy families are alike.\n".repeat(60));
  }

  /** A model in which a weight of the last feed-forward layer has this value. */
  private Path model(double value) throws IOException {
    Random.seed(3);
    String config =
        "{\"model\":\"causal-lm\",\"layers\":1,\"width\":32,\"vocab\":256,\"length\":32,"
            + "\"mixer\":{\"heads\":2}}";
    Path to = folder.resolve("a \"quoted\" model");
    try (Scope scope = Scope.open();
        Model model = Configs.parse(config, Model.Config.class).build()) {
      Parameter weight =
          model.parameters().entrySet().stream()
              .filter(entry -> entry.getKey().startsWith("blocks.0.ffn"))
              .map(java.util.Map.Entry::getValue)
              .filter(parameter -> parameter.value().shape().rank() == 2)
              .reduce((first, last) -> last)
              .orElseThrow();
      float[] values = weight.value().detach().toFloats();
      values[7] = (float) value;
      values[8] = (float) value;
      weight.copyFrom(Tensor.of(values).reshape(weight.value().shape().toArray()));
      Models.save(model, to);
      new ByteTokenizer().save(to);
    }
    return to;
  }

  private long filesBeside() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.count();
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY})
  void evaluationFailsAndStillPrintsJson(double value) throws IOException {
    Path model = model(value);
    Outcome outcome = Outcome.of("eval", model.toString(), "--data", "" + text, "--json");
    assertEquals(1, outcome.code(), outcome.toString());
    JsonNode result = new JsonMapper().readTree(outcome.out());
    assertTrue(result.path("loss").isNull(), outcome.out());
    String last = outcome.err().strip().lines().reduce((first, second) -> second).orElseThrow();
    assertTrue(last.contains("is broken: blocks.0.ffn"), outcome.err());
    assertTrue(last.contains("2 values that are not finite"), outcome.err());
  }

  @Test
  void compressionRefusesThem() throws IOException {
    Path model = model(Double.NaN);
    long before = filesBeside();
    Outcome outcome =
        Outcome.of("compress", "" + model, "--with", "weight-int8", "--out", folder + "/out");
    assertEquals(1, outcome.code(), outcome.toString());
    assertTrue(outcome.err().contains("is broken: blocks.0.ffn"), outcome.err());
    assertEquals(before, filesBeside(), "nothing is left behind");
  }

  /** The product of such weights with anything, or their square, is infinite. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "llm-int8",
        "weight-int8",
        "weight-int4",
        "static",
        "noisyquant",
        "llm-fp4",
        "low-rank",
        "magnitude",
        "ifm",
        "prune-neurons",
        "emoe"
      })
  void compressionOfHugeOnesGivesAModelThatLoadsOrNothing(String method) throws IOException {
    Path model = model(3e38);
    long before = filesBeside();
    Path out = folder.resolve("out");
    Outcome outcome =
        Outcome.of(
            "compress",
            "" + model,
            "--with",
            method,
            "--out",
            "" + out,
            "--data",
            "" + text,
            "--json");
    assertFalse(outcome.err().contains("unexpected"), outcome.err());
    if (outcome.code() == 0) {
      new JsonMapper().readTree(outcome.out());
      Models.load(out).close();
    } else {
      assertEquals(before, filesBeside(), "nothing is left behind: " + outcome.err());
    }
  }
}
