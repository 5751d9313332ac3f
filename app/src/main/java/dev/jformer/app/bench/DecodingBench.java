package dev.jformer.app.bench;

import dev.jformer.compress.quantize.WeightInt4;
import dev.jformer.compress.quantize.WeightInt8;
import dev.jformer.model.CausalLm;
import dev.jformer.studies.trial.Timings;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** Greedy decoding of models whose shapes people use. */
final class DecodingBench {
  private static final String FLOATS = "float32";
  private static final int TOGETHER = 8;

  private final int rounds;
  private final Peers peers;
  private final Consumer<String> progress;

  DecodingBench(int rounds, Peers peers, Consumer<String> progress) {
    this.rounds = rounds;
    this.peers = peers;
    this.progress = progress;
  }

  private Rounds measure(List<? extends Workload> workloads) {
    return Rounds.measure(rounds, progress, workloads.toArray(Workload[]::new));
  }

  /** GPT-2 small in float32, beside reading its weights and beside transformers. */
  List<BenchReport.Row> floats() {
    try (CausalLm model = DecodingShape.GPT2_SMALL.build(null)) {
      OurDecoding ours = new OurDecoding("greedy decoding, GPT-2 small", model, 1);
      try (MemoryReading reading = new MemoryReading(ours.weightBytes() * ours.tokens());
          PeerProcess theirs = transformers(DecodingShape.GPT2_SMALL)) {
        Rounds measured =
            measure(theirs == null ? List.of(ours, reading) : List.of(ours, reading, theirs));
        List<BenchReport.Row> rows = new ArrayList<>();
        double bandwidth = ours.weightBytes() * ours.tokens() / measured.milliseconds(1) / 1e6;
        Timings.Statistics share = measured.speed(0, 1);
        rows.add(
            new BenchReport.Row(
                ours.name(),
                ours.tokens() / measured.milliseconds(0) * 1e3,
                "reading the weights",
                ours.tokens() / measured.milliseconds(1) * 1e3,
                "tokens/s",
                share.median(),
                share.low(),
                share.high(),
                0.6,
                String.format(Locale.ROOT, "memory read at %.0f GB/s meanwhile", bandwidth)));
        if (theirs != null) {
          rows.add(beside(measured, 0, 2, 1.5));
        }
        return rows;
      }
    }
  }

  private PeerProcess transformers(DecodingShape shape) {
    return peers.python(
        "transformers",
        "generate.py",
        "--shape",
        shape.label(),
        "--prompt",
        String.valueOf(OurDecoding.PROMPT),
        "--new-tokens",
        String.valueOf(OurDecoding.NEW_TOKENS));
  }

  private static BenchReport.Row beside(Rounds measured, int ours, int theirs, double bar) {
    return Benchmarks.beside(measured, OurDecoding.NEW_TOKENS, "tokens/s", ours, theirs, bar);
  }

  /** GPT-2 small with weights in few bits beside float32. */
  List<BenchReport.Row> fewBits() {
    DecodingShape shape = DecodingShape.GPT2_SMALL;
    try (CausalLm plain = shape.build(null);
        CausalLm eight = shape.build(new WeightInt8());
        CausalLm four = shape.build(new WeightInt4())) {
      Rounds measured =
          measure(
              List.of(
                  new OurDecoding(FLOATS, plain, 1),
                  new OurDecoding("greedy decoding, GPT-2 small, 8-bit weights", eight, 1),
                  new OurDecoding("greedy decoding, GPT-2 small, 4-bit weights", four, 1)));
      return List.of(beside(measured, 1, 0, 1.7), beside(measured, 2, 0, 2.5));
    }
  }

  /**
   * A shape in float32, 8 and 4 bits: beside transformers, float32, one thread, and eight texts at
   * once.
   */
  List<BenchReport.Row> shape(DecodingShape shape) {
    String name = "greedy decoding, " + shape.label();
    try (CausalLm plain = shape.build(null);
        CausalLm eight = shape.build(new WeightInt8());
        CausalLm four = shape.build(new WeightInt4());
        PeerProcess single = peers.worker("one thread", 1, shape.name());
        PeerProcess theirs = transformers(shape)) {
      List<Workload> all =
          new ArrayList<>(
              List.of(
                  new OurDecoding(name + ", float32", plain, 1),
                  new OurDecoding(name + ", 8-bit weights", eight, 1),
                  new OurDecoding(name + ", 4-bit weights", four, 1),
                  new OurDecoding(name + ", 8-bit weights, eight texts", eight, TOGETHER),
                  new OurDecoding(name + ", 4-bit weights, eight texts", four, TOGETHER),
                  single));
      if (theirs != null) {
        all.add(theirs);
      }
      Rounds measured = measure(all);
      List<BenchReport.Row> rows = new ArrayList<>();
      if (theirs != null) {
        rows.add(beside(measured, 0, 6, 1));
      }
      rows.add(beside(measured, 1, 0, 1));
      rows.add(beside(measured, 2, 0, 1));
      rows.add(beside(measured, 2, 5, 1));
      rows.add(together(measured, 3, 1));
      rows.add(together(measured, 4, 2));
      return rows;
    }
  }

  /** Tokens per second of several texts at once beside those of one. */
  private static BenchReport.Row together(Rounds measured, int many, int one) {
    Timings.Statistics ratio = measured.speed(many, one);
    return new BenchReport.Row(
        measured.workloads().get(many).name(),
        TOGETHER * OurDecoding.NEW_TOKENS / measured.milliseconds(many) * 1e3,
        "one text",
        OurDecoding.NEW_TOKENS / measured.milliseconds(one) * 1e3,
        "tokens/s",
        TOGETHER * ratio.median(),
        TOGETHER * ratio.low(),
        TOGETHER * ratio.high(),
        4,
        "");
  }
}
