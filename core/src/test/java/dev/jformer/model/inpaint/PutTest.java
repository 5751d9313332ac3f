package dev.jformer.model.inpaint;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.image.RandomMasks;
import dev.jformer.hub.Models;
import dev.jformer.model.inpaint.Put.Input;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class PutTest {
  private static Put model(int channels, int patch, Input input) {
    return new Put(
        new Put.Config()
            .with(
                c ->
                    c.size(16)
                        .channels(channels)
                        .patch(patch)
                        .input(input)
                        .codec(
                            new Codec()
                                .with(
                                    k ->
                                        k.codes(7)
                                            .hiddenCodes(5)
                                            .codeWidth(6)
                                            .encoderWidth(12)
                                            .encoderBlocks(1)
                                            .decoderWidth(8)
                                            .decoderBlocks(1))))
            .withStack(s -> s.layers(2).width(16)));
  }

  private static List<SplittableRandom> draws(int count, long seed) {
    List<SplittableRandom> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(new SplittableRandom(seed + 31L * i));
    }
    return all;
  }

  private static Tensor visible(int count, int height, int width) {
    return new RandomMasks().visible(new SplittableRandom(5), count, height, width);
  }

  private static Tensor filled(Put model, Tensor images, Tensor visible, long seed) {
    return model.fill(
        images, visible, new PatchSampler(), draws((int) images.size(0), seed), done -> {});
  }

  /** One patch, several, and images that are not square. */
  @ParameterizedTest
  @CsvSource({"1,4,4,4", "3,4,16,16", "1,2,6,10", "3,8,8,16", "1,1,3,5"})
  void visiblePixelsStayToTheBitAndHiddenOnesAreNotLookedAt(
      int channels, int patch, int height, int width) {
    Put model = model(channels, patch, Input.UNQUANTIZED);
    model.train(false);
    Tensor images = Tensor.rand(3, channels, height, width).mul(2.0).sub(1.0);
    Tensor visible = visible(3, height, width);
    Tensor first = filled(model, images, visible, 1);
    Tensor nothing = images.sub(images);
    assertSame(images.where(visible, nothing), first.where(visible, nothing), "visible pixels");
    assertTrue(first.isFinite().all());
    Tensor others = images.maskedFill(visible.not(), 0.77);
    assertSame(first, filled(model, others, visible, 1), "hidden pixels");
    assertFalse(first.sameAs(images));
  }

  @Test
  void otherDrawsGiveOtherFills() {
    Put model = model(1, 2, Input.UNQUANTIZED);
    model.train(false);
    Tensor images = Tensor.rand(1, 1, 16, 16);
    Tensor visible = visible(1, 16, 16);
    Tensor first = filled(model, images, visible, 1);
    assertSame(first, filled(model, images, visible, 1), "the same draws");
    assertFalse(first.sameAs(filled(model, images, visible, 2)));
    List<Long> passes = new ArrayList<>();
    model.fill(images, visible, new PatchSampler(1, 1), draws(1, 1), passes::add);
    assertEquals(model.passes(visible), passes.size());
  }

  /** The mean over hidden patches of the cross-entropy of the codes of whole images. */
  @Test
  void theLossIsThatOfHiddenPatchesAndOfCodesOfVisibleOnes() {
    Put model = model(1, 4, Input.UNQUANTIZED);
    model.train(false);
    Tensor images = Tensor.randn(3, 1, 8, 12);
    Tensor visible = visible(3, 8, 12);
    Put.Prediction prediction = model.predict(images, visible);
    assertEquals("[18x7]", prediction.logits().shape().toString());
    double[] logits = prediction.logits().toDoubles();
    long[] codes = model.targets(images).flatten(0, 1).toLongs();
    long[] masked = model.codec().masked(visible).to(DType.INT64).flatten(0, 1).toLongs();
    double sum = 0;
    int count = 0;
    int right = 0;
    for (int n = 0; n < 18; n++) {
      assertTrue(codes[n] >= 0 && codes[n] < 7, "codes of visible patches");
      assertEquals(masked[n] == 1 ? codes[n] : -1, prediction.targets().toLongs()[n]);
      if (masked[n] == 1) {
        double all = 0;
        int best = 0;
        for (int k = 0; k < 7; k++) {
          all += Math.exp(logits[7 * n + k]);
          best = logits[7 * n + k] > logits[7 * n + best] ? k : best;
        }
        sum += Math.log(all) - logits[(int) (7L * n + codes[n])];
        right += best == codes[n] ? 1 : 0;
        count++;
      }
    }
    assertTrue(count > 3 && count < 18, count + " hidden patches");
    assertEquals(sum / count, prediction.loss().item(), 1e-5);
    assertEquals(count, prediction.hidden());
    assertEquals(right, prediction.right());
    prediction.loss().backward();
    model
        .parameters()
        .forEach(
            (name, p) ->
                assertEquals(
                    name.startsWith("codec") || !p.isTrainable(), p.value().grad() == null, name));
    Put.Prediction none = model.predict(images, visible.or(visible.not()));
    assertEquals(0, none.loss().item());
  }

  @Test
  void inputsAreFeaturesCodesOrMeanColours() {
    Tensor images = Tensor.randn(2, 3, 8, 12);
    Tensor visible = visible(2, 8, 12);
    Put plain = model(3, 4, Input.UNQUANTIZED);
    PatchVqVae vae = plain.codec();
    assertSame(vae.features(images, visible).detach(), plain.inputs(images, visible), "features");

    Put quantized = model(3, 4, Input.QUANTIZED);
    quantized.copyFrom(plain);
    Tensor codes = vae.codes(vae.features(images, visible), vae.masked(visible));
    Tensor all = plain.parameters().get("codec.codebook.vectors").value();
    assertSame(
        all.indexSelect(0, codes.flatten(0, 1)).view(2, 6, 6),
        quantized.inputs(images, visible),
        "codes");

    Put small = model(3, 4, Input.DOWNSAMPLED);
    small.copyFrom(plain);
    Tensor whole = visible.or(visible.not());
    Tensor means = Tensor.zeros(2, 3, 8, 12);
    for (int y = 0; y < 8; y += 4) {
      for (int x = 0; x < 12; x += 4) {
        Tensor mean = images.narrow(2, y, 4).narrow(3, x, 4).mean(2, true).mean(3, true);
        means.narrow(2, y, 4).narrow(3, x, 4).copy_(mean.expand(2, 3, 4, 4));
      }
    }
    assertClose(vae.features(means, null).detach(), small.inputs(images, whole), 1e-5);
  }

  /** In training three tenths of the features of visible patches are codes, and no others. */
  @Test
  void someFeaturesOfVisiblePatchesAreRoundedInTraining() {
    Put model = model(1, 2, Input.UNQUANTIZED);
    Tensor images = Tensor.randn(40, 1, 16, 16);
    Tensor visible = visible(40, 16, 16);
    Tensor masked = model.codec().masked(visible);
    Tensor plain = model.inputs(images, visible);
    Tensor codes = model.codec().codes(plain, masked);
    Tensor rounded = model.codec().codebook().lookUp(codes);
    Tensor learned = model.learned(images, visible, masked);
    Tensor isPlain = learned.sub(plain).abs().sum(2, false).eq(0.0);
    Tensor isRounded = learned.sub(rounded).abs().sum(2, false).eq(0.0);
    assertTrue(isPlain.or(isRounded).all());
    assertTrue(isPlain.or(masked.not()).all(), "those of hidden patches stay");
    double count = masked.not().to(DType.FLOAT32).sum().item();
    double share = isRounded.and(masked.not()).to(DType.FLOAT32).sum().item() / count;
    assertEquals(0.3, share, 4 * Math.sqrt(0.21 / count));
    model.train(false);
    assertSame(plain, model.learned(images, visible, masked), "not in inference");
  }

  @Test
  void aSavedModelFillsInTheSame(@TempDir Path folder) throws IOException {
    Put model = model(3, 4, Input.UNQUANTIZED);
    Tensor images = Tensor.randn(4, 3, 16, 16);
    Tensor all = Tensor.ones(4, 1, 16, 16).gt(0);
    for (int i = 0; i < 3; i++) {
      model.codecLoss(images, all, all);
    }
    model.train(false);
    Tensor visible = visible(4, 16, 16);
    Tensor before = filled(model, images, visible, 3);
    Models.save(model, folder);
    try (Put loaded = (Put) Models.load(folder)) {
      loaded.train(false);
      assertEquals(model.config(), loaded.config());
      assertSame(before, filled(loaded, images, visible, 3), "loaded");
    }
    assertTrue(model.toString().contains("7 + 5 codes"), model.toString());
  }

  @Test
  void namesWhatDoesNotFit() {
    Put model = model(1, 4, Input.UNQUANTIZED);
    assertMessage("multiples of 4 and at most 16", () -> shape(model, 1, 6, 8));
    assertMessage("images have 3 channels of 8 x 8", () -> shape(model, 3, 8, 8));
    assertMessage("of 20 x 8 pixels", () -> shape(model, 1, 8, 20));
    assertMessage(
        "the mask is [1x1x8x4]",
        () -> model.predict(Tensor.zeros(1, 1, 8, 8), Tensor.zeros(1, 1, 8, 4).gt(0)));
    assertMessage("patch is 3: expected a power of two", () -> model.config().withPatch(3));
    assertMessage("divisor of the size 12", () -> new Put.Config().with(c -> c.size(12).patch(8)));
    assertMessage(
        "width is 18: expected a multiple of 4",
        () -> new Put.Config().withStack(s -> s.width(18).position(new NoPosition.Config())));
  }

  private static void shape(Put model, int channels, int height, int width) {
    Tensor images = Tensor.zeros(1, channels, height, width);
    model.inputs(images, Tensor.ones(1, 1, height, width).gt(0));
  }

  private static void assertMessage(String expected, Runnable work) {
    String message = assertThrows(IllegalArgumentException.class, work::run).getMessage();
    assertTrue(message.contains(expected), message);
  }
}
