/**
 * Recordings of sounds with labels: WAV files, mel spectrograms, and batches of them. Start with
 * {@link dev.jformer.data.audio.RecordingSource} and {@link
 * dev.jformer.data.audio.RecordingSampler}.
 */
package dev.jformer.data.audio;
