package dev.jformer.hub;

import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.Encoder;
import dev.jformer.model.NormPlacement;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Norm;

/**
 * The sizes and settings in which encoders like BERT differ.
 *
 * @param mask id of the mask token; negative if there is none
 * @param padding id of padding
 */
record EncoderShape(
    int layers,
    int width,
    int heads,
    int hidden,
    int vocab,
    int length,
    int tokenTypes,
    Activation activation,
    double epsilon,
    double dropout,
    int mask,
    int padding,
    boolean mlmHead) {
  Encoder.Config config() {
    Norm.Config norm = new Norm.LayerNormConfig(epsilon, true);
    return new Encoder.Config()
        .with(
            c ->
                c.vocab(vocab)
                    .length(length)
                    .embeddings(new Encoder.Embeddings(norm, tokenTypes, mask, padding))
                    .head(new Encoder.Head(mlmHead, norm)))
        .withStack(s -> s.layers(layers).width(width))
        .withBlock(
            b ->
                b.mixer(new SoftmaxAttention.Config(heads, 0))
                    .ffn(new Mlp.Config(activation, 4, hidden))
                    .norm(norm)
                    .placement(NormPlacement.POST)
                    .dropout(dropout)
                    .init(new BlockContext.Init(0.02, false)));
  }
}
