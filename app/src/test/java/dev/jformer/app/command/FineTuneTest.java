package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.config.Configs;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.run.Recipe;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.train.Distillation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code jformer train} on a model that is trained already, and options that contradict others. */
class FineTuneTest {
  @TempDir Path folder;
  private Path text;

  @BeforeEach
  void text() throws IOException {
    text = folder.resolve("text.txt");
    Files.writeString(
        text, "All happy families are alike; each unhappy one is so in its way.\n".repeat(60));
  }

  private Path languageModel() throws IOException {
    Random.seed(3);
    Path to = folder.resolve("model");
    String config =
        "{\"model\":\"causal-lm\",\"layers\":1,\"width\":32,\"vocab\":256,\"length\":32,"
            + "\"mixer\":{\"heads\":2}}";
    try (Scope scope = Scope.open();
        Model model = Configs.parse(config, Model.Config.class).build()) {
      Models.save(model, to);
      new ByteTokenizer().save(to);
    }
    return to;
  }

  @Test
  void aLanguageModelGetsALowRateAndIsEvaluatedFirst() throws IOException {
    Path out = folder.resolve("tuned");
    Outcome outcome =
        Outcome.of(
            "train",
            "--from",
            "" + languageModel(),
            "--data",
            "" + text,
            "--out",
            "" + out,
            "--steps",
            "4",
            "--json");
    assertEquals(0, outcome.code(), outcome.err());
    Recipe recipe = Recipe.read(out.resolve("recipe.json"));
    assertEquals(5e-5, recipe.training().learningRate());
    assertEquals(4, recipe.training().steps());
    List<String> lines = Files.readAllLines(out.resolve("metrics.jsonl"));
    JsonNode first = new JsonMapper().readTree(lines.get(0));
    assertEquals(0, first.path("step").asInt(-1));
    assertTrue(first.path("validationLoss").asDouble() > 0, lines.get(0));
    assertTrue(outcome.err().contains("step 0: validation loss"), outcome.err());
  }

  @Test
  void theModelBeforeIsKeptAndSaidSo() throws IOException {
    Path out = folder.resolve("tuned");
    Outcome outcome =
        Outcome.of(
            "train",
            "--from",
            "" + languageModel(),
            "--data",
            "" + text,
            "--out",
            "" + out,
            "--steps",
            "4",
            "--set",
            "training.learningRate=50",
            "--set",
            "training.clip=0",
            "--set",
            "training.schedule.warmup=1");
    assertEquals(0, outcome.code(), outcome.err());
    assertTrue(outcome.err().contains("the one before training is kept"), outcome.err());
  }

  /** Rows of several samples; the evaluation before training is that of samples alone. */
  @Test
  void samplesArePackedIntoRows() throws IOException {
    Path model = languageModel();
    Path samples = folder.resolve("samples.jsonl");
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      lines.append(
          "{\"prompt\": \"" + i + " \", \"completion\": \"" + "no ".repeat(1 + i % 3) + "\"}\n");
    }
    Files.writeString(samples, lines);
    String[] losses = new String[2];
    for (boolean packing : new boolean[] {false, true}) {
      Path out = folder.resolve("packed-" + packing);
      Outcome outcome =
          Outcome.of(
              "train",
              "--task",
              "instruct",
              "--from",
              "" + model,
              "--data",
              "" + samples,
              "--out",
              "" + out,
              "--set",
              "data.packing=" + packing,
              "--set",
              "training.batch=2",
              "--steps",
              "9");
      assertEquals(0, outcome.code(), outcome.err());
      losses[packing ? 1 : 0] = Files.readAllLines(out.resolve("metrics.jsonl")).get(0);
      int tokens =
          Integer.parseInt(
              outcome
                  .err()
                  .replaceAll("(?s).*; ([0-9,]+) tokens a batch.*", "$1")
                  .replace(",", ""));
      assertTrue(packing ? tokens > 40 : tokens < 25, tokens + " tokens a batch");
    }
    assertEquals(
        new JsonMapper().readTree(losses[0]).path("validationLoss"),
        new JsonMapper().readTree(losses[1]).path("validationLoss"));
    Files.writeString(
        samples, "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"c\"}\n".repeat(9));
    Path out = folder.resolve("preferences");
    Outcome refused =
        Outcome.of(
            "train",
            "--task",
            "instruct",
            "--from",
            "" + model,
            "--data",
            "" + samples,
            "--out",
            "" + out,
            "--set",
            "data.packing=true",
            "--steps",
            "2");
    assertEquals(1, refused.code());
    assertTrue(refused.err().contains("data.packing is true"), refused.err());
    assertFalse(Files.exists(out.resolve("recipe.json")));
  }

  @Test
  void anAdapterIsTrainedUsedAndMerged() throws IOException {
    Path out = folder.resolve("adapter");
    Path samples = folder.resolve("samples.jsonl");
    Files.writeString(samples, "{\"prompt\": \"one \", \"completion\": \"two\"}\n".repeat(12));
    Outcome outcome =
        Outcome.of(
            "train",
            "--task",
            "instruct",
            "--from",
            "" + languageModel(),
            "--data",
            "" + samples,
            "--out",
            "" + out,
            "--adapter",
            "lora",
            "--set",
            "adapter.rank=2",
            "--steps",
            "4");
    assertEquals(0, outcome.code(), outcome.err());
    assertTrue(outcome.err().contains("the adapter is in"), outcome.err());
    assertTrue(outcome.err().contains("(expected: two)"), outcome.err());
    assertTrue(Files.exists(out.resolve("adapter_model.safetensors")));
    assertFalse(Files.exists(out.resolve("model.safetensors")));
    String prompt = "one ";
    Outcome made = Outcome.of("generate", "" + out, "--prompt", prompt, "-n", "4", "--greedy");
    assertEquals(0, made.code(), made.err());

    Path merged = folder.resolve("merged");
    Outcome whole = Outcome.of("export", "" + out, "--out", "" + merged);
    assertEquals(1, whole.code());
    assertTrue(whole.err().contains("give --merge"), whole.err());
    Outcome export = Outcome.of("export", "" + out, "--merge", "--out", "" + merged);
    assertEquals(0, export.code(), export.err());
    Outcome same = Outcome.of("generate", "" + merged, "--prompt", prompt, "-n", "4", "--greedy");
    assertEquals(made.out(), same.out());
    Outcome again = Outcome.of("export", "" + merged, "--merge", "--out", "" + folder + "/x");
    assertTrue(again.err().contains("--merge is for adapters"), again.err());
    Outcome alone =
        Outcome.of("train", "--data", "" + text, "--adapter", "lora", "--out", "" + merged + "2");
    assertTrue(alone.err().contains("give that with --from"), alone.err());
  }

  @ParameterizedTest
  @CsvSource({
    "--horizon, 28, model.horizon=14, model.horizon",
    "--look-back, 28, 'model={\"model\":\"linear-forecaster\",\"lookBack\":30}', model.lookBack",
    "--steps, 10, 'training={steps: 20}', training.steps",
    "--seed, 7, training.seed=8, training.seed"
  })
  void optionsThatContradictSetAreRefused(String option, String value, String set, String field) {
    Outcome outcome =
        Outcome.of("train", "--task", "forecast", "--data", "" + text, option, value, "--set", set);
    assertEquals(1, outcome.code(), outcome.err());
    assertTrue(
        outcome.err().contains(option + " " + value + " and --set " + set + " both set " + field),
        outcome.err());
    assertFalse(Files.exists(Path.of("runs", "forecast")), "nothing is written");
  }

  @Test
  void theHorizonIsThatOfTheOptionWhateverTheModel() throws IOException {
    Path csv = folder.resolve("series.csv");
    StringBuilder rows = new StringBuilder("time,a\n");
    for (int day = 1; day <= 300; day++) {
      rows.append(java.time.LocalDate.ofYearDay(2023, 1).plusDays(day)).append(',');
      rows.append(Math.sin(day)).append('\n');
    }
    Files.writeString(csv, rows);
    Path out = folder.resolve("forecaster");
    Outcome outcome =
        Outcome.of(
            "train",
            "--task",
            "forecast",
            "--data",
            "" + csv,
            "--out",
            "" + out,
            "--horizon",
            "3",
            "--look-back",
            "9",
            "--set",
            "model=linear-forecaster",
            "--steps",
            "2",
            "--set",
            "training.schedule.warmup=1",
            "--quiet");
    assertEquals(0, outcome.code(), outcome.err());
    assertTrue(outcome.out().contains("done at step 2; best validation "), outcome.out());
    assertTrue(outcome.out().startsWith("on test data:"), outcome.out());
    JsonNode model = Configs.write(Recipe.read(out.resolve("recipe.json")).model());
    assertEquals(3, model.path("horizon").asInt());
    assertEquals(9, model.path("lookBack").asInt());
  }

  @Test
  void aTaskIsCheckedBesideARecipeToo() {
    Outcome misspelt =
        Outcome.of("train", "--task", "forcast", "--recipe", "shakespeare", "--data", "" + text);
    assertEquals(1, misspelt.code());
    assertTrue(misspelt.err().contains("there is no task 'forcast'"), misspelt.err());
    assertTrue(misspelt.err().contains("forecast"), misspelt.err());
    Outcome other =
        Outcome.of("train", "--task", "images", "--recipe", "shakespeare", "--data", "" + text);
    assertEquals(1, other.code());
    assertTrue(other.err().contains("contradict each other"), other.err());
  }

  @Test
  void aTenthOfTheRateIsTakenWhereThereIsNoRecipe() {
    assertEquals("fine-tune-mlm", TrainTask.MLM.recipe(folder));
    assertEquals("images", TrainTask.IMAGES.recipe(folder));
    assertEquals("0.000150", TrainTask.IMAGES.gentler(folder, false).get("training.learningRate"));
    assertTrue(TrainTask.IMAGES.gentler(null, false).isEmpty());
    assertEquals("java", TrainTask.TEXT.recipe(null));
  }

  @Test
  void aTeacherIsWrittenIntoTheRecipe() throws IOException {
    Path teacher = languageModel();
    Path out = folder.resolve("student");
    Outcome outcome =
        Outcome.of(
            "train",
            "--data",
            "" + text,
            "--teacher",
            "" + teacher,
            "--set",
            "objective.temperature=3",
            "--set",
            "model={\"model\":\"causal-lm\",\"layers\":1,\"width\":16,\"length\":16}",
            "--set",
            "training.batch=4",
            "--out",
            "" + out,
            "--steps",
            "3");
    assertEquals(0, outcome.code(), outcome.err());
    Distillation objective = (Distillation) Recipe.read(out.resolve("recipe.json")).objective();
    assertEquals(new Distillation(teacher.toAbsolutePath().toString(), 3, 0.5, 0, 0, 0), objective);
    assertTrue(
        Files.readString(out.resolve("metrics.jsonl")).contains("distance from the teacher"));
    try (Model student = Models.load(out)) {
      assertEquals(256, ((CausalLm) student).config().vocab(), "the teacher's bytes");
    }
  }

  @Test
  void aTeacherThatIsNotThereIsAnError() {
    Outcome outcome =
        Outcome.of("train", "--data", "" + text, "--teacher", "" + folder.resolve("nobody"));
    assertEquals(1, outcome.code());
    assertTrue(outcome.err().contains("no such file or folder"), outcome.err());
    Outcome resumed =
        Outcome.of("train", "--resume", "" + folder, "--teacher", "" + folder.resolve("nobody"));
    assertTrue(resumed.err().contains("--teacher"), resumed.err());
  }

  @Test
  void aLearngeneGrowsToAnyDepth() throws IOException {
    Path run = folder.resolve("gene");
    String model =
        "{\"model\":\"causal-lm\",\"layers\":3,\"width\":16,\"length\":16,\"mixer\":{\"heads\":2}}";
    String[] train = {
      "train",
      "--data",
      "" + text,
      "--set",
      "model=" + model,
      "--set",
      "data.tokenizer=byte",
      "--set",
      "training.optimizer=learngene",
      "--set",
      "training.batch=4",
      "--steps",
      "3",
      "--out",
      "" + run
    };
    assertEquals(0, Outcome.of(train).code());
    Outcome grown = Outcome.of("grow", "" + run, "--depth", "5", "--json");
    assertEquals(0, grown.code(), grown.err());
    assertTrue(grown.out().contains("gene-depth-5"), grown.out());
    try (Model five = Models.load(folder.resolve("gene-depth-5"))) {
      assertEquals(5, ((CausalLm) five).config().layers());
    }
    assertEquals(
        0, Outcome.of("eval", "" + folder.resolve("gene-depth-5"), "--data", "" + text).code());
    Outcome plain = Outcome.of("grow", "" + languageModel(), "--depth", "2");
    assertTrue(plain.err().contains("one block only"), plain.err());
    for (String[] both :
        new String[][] {{"grow", "" + run}, {"grow", "" + run, "--to", "2x", "--depth", "3"}}) {
      Outcome refused = Outcome.of(both);
      assertTrue(refused.err().contains("either --to"), refused.err());
    }
  }

  @Test
  void aSearchedStudentIsTrainedByItsTeacher() throws IOException {
    Path teacher = languageModel();
    Path recipe = folder.resolve("student.json");
    String[] search = {
      "search",
      "--data",
      "" + text,
      "--teacher",
      "" + teacher,
      "--choose",
      "model.layers=1,2",
      "--choose",
      "model.width=16,32",
      "--set",
      "model.length=32",
      "--set",
      "model.mixer.heads=2",
      "--set",
      "training.batch=3",
      "--score",
      "{\"type\":\"diswot\",\"semantic\":0}",
      "--evaluations",
      "6",
      "--out",
      "" + recipe
    };
    Outcome found = Outcome.of(search);
    assertEquals(0, found.code(), found.err());
    assertTrue(found.out().contains("layers="), found.out());
    Outcome again = Outcome.of(search);
    assertTrue(again.err().contains("exists already"), again.err());
    Outcome trained =
        Outcome.of(
            "train", "--recipe", "" + recipe, "--steps", "2", "--out", "" + folder.resolve("s"));
    assertEquals(0, trained.code(), trained.err());
    Distillation objective =
        (Distillation) Recipe.read(folder.resolve("s/recipe.json")).objective();
    assertEquals(teacher.toAbsolutePath().toString(), objective.teacher());
    Outcome misspelt =
        Outcome.of(
            "search",
            "--teacher",
            "" + teacher,
            "--choose",
            "model.layers=1,2",
            "--score",
            "diswit",
            "--out",
            "" + folder.resolve("x"),
            "--data",
            "" + text);
    assertTrue(misspelt.err().contains("diswot"), misspelt.err());
    Outcome bad =
        Outcome.of("search", "--teacher", "" + teacher, "--choose", "layers", "--data", "" + text);
    assertTrue(bad.err().contains("expected a field and values"), bad.err());
  }
}
