package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainerTest {
  static final String TEXT =
      "It was the best of times, it was the worst of times, it was the age of wisdom, ".repeat(40);

  @TempDir Path folder;
  private TokenFile tokens;

  @BeforeEach
  void tokens() throws IOException {
    Path text = Files.writeString(folder.resolve("text.txt"), TEXT);
    tokens =
        TokenFile.prepare(
            folder.resolve("data"),
            Corpus.open(text, List.of()),
            new ByteTokenizer(),
            0.1,
            bytes -> {});
  }

  static CausalLm model() {
    return model("linear");
  }

  private static CausalLm model(String projection) {
    Random.seed(7);
    return (CausalLm)
        Configs.parse(
                "{'model':'causal-lm','layers':1,'width':16,'length':32,'dropout':0.1,'mixer':{'heads':2},'projection':{'type':'%s'}}"
                    .formatted(projection)
                    .replace('\'', '"'),
                Model.Config.class)
            .build();
  }

  static TrainingConfig training(String json) {
    return Configs.parse(
        ("{'batch':4,'evaluateEvery':6,'checkpointEvery':4,'schedule':{'warmup':2}," + json + "}")
            .replace('\'', '"'),
        TrainingConfig.class);
  }

  /** What a run told its listeners, in order. */
  static final class Log implements Listener {
    final List<String> lines = new ArrayList<>();

    @Override
    public void step(Step step) {
      lines.add(step.step() + " " + step.loss() + " " + step.gradientNorm());
    }

    @Override
    public void evaluation(Evaluation evaluation) {
      lines.add(evaluation.step() + " validation " + evaluation.value());
    }
  }

  private Trainer trainer(CausalLm model, TrainingConfig training, Path checkpoints, Log log) {
    Trainer trainer =
        new Trainer(
            model,
            new LanguageModelling(model, tokens, training.batch(), training.seed(), 100),
            training,
            checkpoints);
    trainer.addListener(log);
    return trainer;
  }

  @ParameterizedTest
  @ValueSource(strings = {"linear", "sigma-reparam", "linear sgd"})
  void resumedRunRepeatsTheUninterruptedOneBitForBit(String kind) {
    String projection = kind.split(" ")[0];
    String optimizer = kind.endsWith("sgd") ? "sgd" : "adamw";
    TrainingConfig training =
        training("'steps':20,'ema':0.9,'accumulate':2,'optimizer':{'type':'" + optimizer + "'}");
    Log whole = new Log();
    CausalLm wholeModel = model(projection);
    trainer(wholeModel, training, folder.resolve("a"), whole).run();

    Log first = new Log();
    CausalLm dying = model(projection);
    Trainer killed = trainer(dying, training, folder.resolve("b"), first);
    killed.addListener(
        new Listener() {
          @Override
          public void step(Step step) {
            if (step.step() == 11) {
              throw new IllegalStateException("killed");
            }
          }
        });
    assertThrows(IllegalStateException.class, killed::run);

    Log second = new Log();
    CausalLm resumedModel = model(projection);
    Trainer resumed = trainer(resumedModel, training, folder.resolve("b"), second);
    resumed.resume();
    assertEquals(8, resumed.step());
    resumed.run();

    int from = whole.lines.indexOf(second.lines.get(0));
    assertEquals(whole.lines.subList(from, whole.lines.size()), second.lines);
    wholeModel
        .parameters()
        .forEach(
            (name, p) ->
                assertTrue(p.value().sameAs(resumedModel.parameters().get(name).value()), name));
  }

  @Test
  void automaticPrecisionIsWhatTheProcessorHasInstructionsFor() throws IOException {
    List<String> wide = losses("float32");
    List<String> narrow = losses("bfloat16");
    assertNotEquals(wide, narrow);
    Path processors = Path.of("/proc/cpuinfo");
    boolean has = Files.isReadable(processors) && Files.readString(processors).contains("_bf16");
    assertEquals(has ? narrow : wide, losses("auto"));
  }

  private List<String> losses(String precision) {
    Log log = new Log();
    trainer(model(), training("'steps':3,'precision':'" + precision + "'"), null, log).run();
    return log.lines;
  }

  @ParameterizedTest
  @ValueSource(strings = {"linear", "sigma-reparam"})
  void evaluatingDoesNotChangeTheRun(String projection) {
    String often =
        "{'batch':4,'evaluateEvery':1,'steps':6,'ema':0.9,'schedule':{'warmup':2}}"
            .replace('\'', '"');
    CausalLm expected = model(projection);
    trainer(expected, training("'steps':6,'ema':0.9"), null, new Log()).run();
    CausalLm evaluated = model(projection);
    trainer(evaluated, Configs.parse(often, TrainingConfig.class), null, new Log()).run();
    expected
        .parameters()
        .forEach(
            (name, p) ->
                assertTrue(p.value().sameAs(evaluated.parameters().get(name).value()), name));
  }

  @Test
  void losesNothingWhenTheNewestCheckpointIsDamaged() throws IOException {
    TrainingConfig training = training("'steps':8");
    trainer(model(), training, folder.resolve("c"), new Log()).run();
    Path newest = folder.resolve("c").resolve("step-00000008");
    byte[] bytes = Files.readAllBytes(newest.resolve("model.safetensors"));
    Files.write(
        newest.resolve("model.safetensors"), java.util.Arrays.copyOf(bytes, bytes.length / 2));
    Trainer resumed = trainer(model(), training, folder.resolve("c"), new Log());
    resumed.resume();
    assertEquals(4, resumed.step());
  }

  @Test
  void aCheckpointOfAnotherKindOfDeviceIsRefused() throws IOException {
    TrainingConfig training = training("'steps':4");
    Path checkpoints = folder.resolve("elsewhere");
    trainer(model(), training, checkpoints, new Log()).run();
    Path random = checkpoints.resolve("step-00000004").resolve("random.safetensors");
    SafetensorsFile.write(random, Map.of("cuda", Random.state()), Map.of());
    Trainer resumed = trainer(model(), training, checkpoints, new Log());
    String message = assertThrows(TrainingException.class, resumed::resume).getMessage();
    assertEquals("the checkpoint was made on cuda: resume there, not on cpu", message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"model", "optimizer", "random", "average"})
  void aCheckpointThatLacksAFileIsDamaged(String group) throws IOException {
    TrainingConfig training = training("'steps':8,'ema':0.9");
    Path checkpoints = folder.resolve("lacks-" + group);
    trainer(model(), training, checkpoints, new Log()).run();
    Files.delete(checkpoints.resolve("step-00000008").resolve(group + ".safetensors"));
    Trainer resumed = trainer(model(), training, checkpoints, new Log());
    resumed.resume();
    assertEquals(4, resumed.step());
    resumed.run();
    Trainer whole = trainer(model(), training, checkpoints, new Log());
    whole.resume();
    assertEquals(8, whole.step());
    assertEquals(List.of("step-00000004", "step-00000008"), names(checkpoints));
  }

  private static List<String> names(Path place) throws IOException {
    try (Stream<Path> entries = Files.list(place)) {
      return entries.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  /** Killed while it wrote a checkpoint, while it replaced one, and while it deleted one. */
  @Test
  void whatAKilledProcessLeavesAmongCheckpointsIsTidied() throws IOException {
    TrainingConfig training = training("'steps':14");
    Path checkpoints = folder.resolve("killed");
    trainer(model(), training("'steps':8"), checkpoints, new Log()).run();
    Files.createDirectories(checkpoints.resolve(".partial-step-00000012"));
    Files.writeString(checkpoints.resolve(".jformer-1.tmp"), "half");
    Files.move(
        checkpoints.resolve("step-00000008"), checkpoints.resolve(".replaced-step-00000008"));
    Files.createDirectories(checkpoints.resolve("step-00000099"));
    Trainer resumed = trainer(model(), training, checkpoints, new Log());
    resumed.resume();
    assertEquals(8, resumed.step());
    resumed.run();
    assertEquals(List.of("step-00000012", "step-00000014"), names(checkpoints));
  }

  @Test
  void textIsLearnedInWindowsThatAreShorterThanTheModel() {
    try (Scope scope = Scope.open();
        CausalLm model = model()) {
      model.train(false);
      LanguageModelling short5 = new LanguageModelling(model, tokens, 4, 5, 1, 100);
      assertEquals(20, short5.unitsPerBatch());
      Classifying.Prediction predicted = short5.passes(0).get();
      assertEquals(20, predicted.logits().size(0));
      assertEquals(predicted.loss().item(), short5.loss(0).item(), 1e-6);
      assertEquals(
          LanguageModelling.evaluate(model, tokens, 4, 5, 5, 100), short5.evaluate().loss(), 1e-9);
      LanguageModelling whole = new LanguageModelling(model, tokens, 4, 1, 100);
      assertEquals(4 * 32, whole.unitsPerBatch());
    }
  }

  @Test
  void aTrainingThatStoppedEarlyStaysAsItIs() {
    TrainingConfig training = training("'steps':1000,'patience':3");
    Path checkpoints = folder.resolve("early");
    for (int run = 0; run < 2; run++) {
      CausalLm model = model();
      Task data = new LanguageModelling(model, tokens, 4, 1, 1);
      int[] evaluations = {0};
      Task worsening =
          new ForwardingTask(data) {
            @Override
            public Tensor loss(long index) {
              return data.loss(index);
            }

            @Override
            public Metrics evaluate() {
              return Metrics.ofLoss(++evaluations[0], "nats");
            }
          };
      Trainer trainer = new Trainer(model, worsening, training, checkpoints);
      if (run == 1) {
        trainer.resume();
      }
      Trainer.Result result = trainer.run();
      assertEquals(24, result.steps());
      assertEquals(Trainer.Result.Ending.STOPPED_EARLY, result.ending());
      assertEquals(run == 0 ? 4 : 0, evaluations[0]);
    }
  }

  @Test
  void keepsTwoCheckpointsAndNoHalfWrittenOne() throws IOException {
    trainer(model(), training("'steps':14"), folder.resolve("d"), new Log()).run();
    try (Stream<Path> entries = Files.list(folder.resolve("d"))) {
      assertEquals(
          List.of("step-00000012", "step-00000014"),
          entries.map(path -> path.getFileName().toString()).sorted().toList());
    }
  }

  @Test
  void refusesTheCheckpointOfAnotherModel() {
    TrainingConfig training = training("'steps':4");
    trainer(model(), training, folder.resolve("e"), new Log()).run();
    Random.seed(1);
    CausalLm other =
        (CausalLm)
            Configs.parse(
                    "{\"model\":\"causal-lm\",\"layers\":2,\"width\":16,\"length\":32}",
                    Model.Config.class)
                .build();
    Trainer trainer = trainer(other, training, folder.resolve("e"), new Log());
    String message = assertThrows(TrainingException.class, trainer::resume).getMessage();
    assertTrue(message.contains("does not belong to this model"), message);
  }

  @Test
  void accumulatedHalvesGiveTheGradientOfTheWhole() {
    // Two passes over the same batch must update exactly as one pass over it does.
    Tensor[] weights = new Tensor[2];
    for (int run = 0; run < 2; run++) {
      CausalLm model = model();
      LanguageModelling data = new LanguageModelling(model, tokens, 4, 1, 1);
      Task same =
          new Task() {
            @Override
            public Tensor loss(long index) {
              model.train(false); // no dropout: both passes are equal
              return data.loss(0);
            }

            @Override
            public long unitsPerBatch() {
              return 1;
            }

            @Override
            public String unit() {
              return "tokens";
            }

            @Override
            public Metrics evaluate() {
              return Metrics.ofLoss(1, "nats");
            }
          };
      Trainer trainer =
          new Trainer(model, same, training("'steps':3,'accumulate':" + (run + 1)), null);
      trainer.run();
      weights[run] = model.parameters().get("blocks.0.ffn.up.weight").value();
    }
    try (Scope scope = Scope.open()) {
      double difference = weights[0].detach().sub(weights[1].detach()).abs().max().item();
      assertTrue(difference < 1e-6, "difference " + difference);
    }
  }

  @Test
  void stopsWithAClearErrorWhenTheLossIsNoNumber() {
    TrainingConfig training = training("'steps':50,'learningRate':1e30,'clip':0");
    Trainer trainer = trainer(model(), training, folder.resolve("f"), new Log());
    String message = assertThrows(TrainingException.class, trainer::run).getMessage();
    assertTrue(message.startsWith("training diverged at step "), message);
    assertTrue(message.contains("lower learning rate"), message);
    assertFalse(message.contains("\n"), message);
  }

  @Test
  void stopsEarlyWhenTheLossStaysAway() {
    CausalLm model = model();
    LanguageModelling data = new LanguageModelling(model, tokens, 4, 1, 1);
    Task worsening =
        new Task() {
          private int evaluations;

          @Override
          public Tensor loss(long index) {
            return data.loss(index);
          }

          @Override
          public long unitsPerBatch() {
            return 1;
          }

          @Override
          public String unit() {
            return "tokens";
          }

          @Override
          public Metrics evaluate() {
            return Metrics.ofLoss(++evaluations, "nats");
          }
        };
    Trainer trainer = new Trainer(model, worsening, training("'steps':1000,'patience':3"), null);
    Trainer.Result result = trainer.run();
    assertEquals(Trainer.Result.Ending.STOPPED_EARLY, result.ending());
    assertEquals(24, result.steps());
    assertEquals(6, result.bestStep());
  }

  @Test
  void theBestIsTheHighestWhereHigherIsBetter() throws IOException {
    CausalLm model = model();
    Task language = new LanguageModelling(model, tokens, 4, 1, 100);
    int[] evaluations = {0};
    Task rising =
        new ForwardingTask(language) {
          @Override
          public Tensor loss(long index) {
            return language.loss(index);
          }

          @Override
          public Metrics evaluate() {
            int now = ++evaluations[0];
            return Metrics.of(
                Metric.higher("bleu", 8 - Math.abs(now - 3), "of 100"),
                Metric.lower("loss", now, "nats"));
          }
        };
    Path file = folder.resolve("rising.jsonl");
    List<Boolean> best = new ArrayList<>();
    TrainingConfig training = training("'steps':20");
    try (Trainer trainer = new Trainer(model, rising, training, null);
        MetricsFile metrics = new MetricsFile(file, 0)) {
      trainer.addListener(metrics);
      trainer.addListener(
          new Listener() {
            @Override
            public void evaluation(Evaluation evaluation) {
              best.add(evaluation.isBest());
            }
          });
      Trainer.Result result = trainer.run();
      assertEquals(18, result.bestStep());
      assertEquals(8, result.best().get("bleu"));
      assertEquals(4, result.last().loss());
    }
    assertEquals(List.of(true, true, true, false), best);
    String last =
        Files.readAllLines(file).stream()
            .filter(line -> line.contains("validation"))
            .toList()
            .get(3);
    assertTrue(
        last.startsWith(
            "{\"step\":20,\"validationLoss\":4.0,\"validationBleu\":7.0,\"bestValidationBleu\":8.0,"),
        last);
  }

  @Test
  void writesACheckpointWhenAskedToStop() {
    Trainer trainer = trainer(model(), training("'steps':1000"), folder.resolve("g"), new Log());
    trainer.addListener(
        new Listener() {
          @Override
          public void step(Step step) {
            if (step.step() == 3) {
              trainer.stop();
            }
          }
        });
    Trainer.Result result = trainer.run();
    assertEquals(Trainer.Result.Ending.INTERRUPTED, result.ending());
    Trainer resumed = trainer(model(), training("'steps':1000"), folder.resolve("g"), new Log());
    resumed.resume();
    assertEquals(3, resumed.step());
  }

  @Test
  void stopsAfterSomeUpdatesAndGoesOnFromThere() {
    Log whole = new Log();
    trainer(model(), training("'steps':6"), null, whole).run();
    Log parts = new Log();
    try (Trainer brief = trainer(model(), training("'steps':6"), folder.resolve("h"), parts)) {
      brief.stopAfter(2);
      assertEquals(Trainer.Result.Ending.INTERRUPTED, brief.run().ending());
      assertEquals(2, brief.step());
      brief.stopAfter(6);
      assertEquals(Trainer.Result.Ending.COMPLETED, brief.run().ending());
    }
    assertEquals(whole.lines, parts.lines, "with the schedule of all updates");
  }

  @Test
  void saysThatTheCheckpointCannotBeWritten() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "in the way");
    Trainer trainer = trainer(model(), training("'steps':4"), file, new Log());
    String message = assertThrows(TrainingException.class, trainer::run).getMessage();
    assertTrue(message.contains("cannot write the checkpoint"), message);
  }

  @Test
  void learnsTheText() {
    Log log = new Log();
    Trainer.Result result =
        trainer(model(), training("'steps':150,'learningRate':1e-2"), null, log).run();
    double first = Double.parseDouble(log.lines.get(0).split(" ")[1]);
    assertEquals(Math.log(256), first, 0.1); // knows nothing yet
    assertTrue(result.best().loss() < 2.0, "validation loss " + result.best().loss());
  }

  /** The file is not closed: what stands there when a checkpoint is written is on the disk. */
  @Test
  void metricsUpToACheckpointSurviveAKill() throws IOException {
    Path file = folder.resolve("killed.jsonl");
    MetricsFile killed = new MetricsFile(file, 0);
    Trainer trainer = trainer(model(), training("'steps':9"), folder.resolve("k"), new Log());
    trainer.addListener(killed);
    trainer.addListener(
        new Listener() {
          @Override
          public void step(Step step) {
            if (step.step() == 9) {
              throw new IllegalStateException("killed");
            }
          }
        });
    assertThrows(IllegalStateException.class, trainer::run);
    try (MetricsFile resumed = new MetricsFile(file, 8)) {
      resumed.step(new Listener.Step(9, 9, 0.5, 1e-3, 1, 10, 1, 1, Map.of()));
    }
    List<String> lines = Files.readAllLines(file);
    lines.removeIf(line -> line.contains("validation"));
    assertEquals(9, lines.size());
    for (int i = 0; i < 9; i++) {
      assertTrue(lines.get(i).startsWith("{\"step\":" + (i + 1) + ","), lines.get(i));
    }
  }

  @Test
  void metricsOfAResumedRunHaveEveryStepOnce() throws IOException {
    Path file = folder.resolve("metrics.jsonl");
    try (MetricsFile metrics = new MetricsFile(file, 0)) {
      for (int step = 1; step <= 5; step++) {
        metrics.step(new Listener.Step(step, 9, 1.0 / step, 1e-3, 1, 10, 1, 1, Map.of()));
      }
    }
    Files.writeString(file, Files.readString(file) + "{\"step\":6,\"lo"); // killed here
    try (MetricsFile metrics = new MetricsFile(file, 3)) {
      metrics.step(new Listener.Step(4, 9, 0.5, 1e-3, 1, 10, 1, 1, Map.of()));
    }
    List<String> lines = Files.readAllLines(file);
    assertEquals(4, lines.size());
    for (int i = 0; i < 4; i++) {
      assertTrue(lines.get(i).startsWith("{\"step\":" + (i + 1) + ","), lines.get(i));
    }
  }
}
