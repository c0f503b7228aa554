/* A narrow face for libvpx: its structs change between versions, so they are only touched here, by the headers of the
 * version that is linked. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vpx/vp8cx.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>
#include <vpx/vpx_encoder.h>

struct sidetone_vp8_options {
  uint32_t width;
  uint32_t height;
  uint32_t frames_per_second;
  uint32_t kilobits;
  uint32_t threads;
  uint32_t screen;
  uint32_t key_frame_interval;
};

struct sidetone_vp8_encoder {
  vpx_codec_ctx_t context;
  vpx_codec_enc_cfg_t config;
  vpx_codec_iter_t packets;
};

static int tune(struct sidetone_vp8_encoder *encoder, const struct sidetone_vp8_options *options) {
  vpx_codec_ctx_t *context = &encoder->context;
  /* A key frame may take as much as half of the buffer: longer ones would be a burst that the network drops. */
  int intra = (int)(encoder->config.rc_buf_optimal_sz * options->frames_per_second / 20);
  if (intra < 300) intra = 300;
  return vpx_codec_control(context, VP8E_SET_CPUUSED, -6) ||
         vpx_codec_control(context, VP8E_SET_NOISE_SENSITIVITY, 0) ||
         vpx_codec_control(context, VP8E_SET_STATIC_THRESHOLD, options->screen ? 100 : 1) ||
         vpx_codec_control(context, VP8E_SET_TOKEN_PARTITIONS, VP8_ONE_TOKENPARTITION) ||
         vpx_codec_control(context, VP8E_SET_MAX_INTRA_BITRATE_PCT, (unsigned int)intra) ||
         vpx_codec_control(context, VP8E_SET_SCREEN_CONTENT_MODE, options->screen ? 1u : 0u);
}

struct sidetone_vp8_encoder *sidetone_vp8_encoder_open(const struct sidetone_vp8_options *options) {
  struct sidetone_vp8_encoder *encoder = calloc(1, sizeof *encoder);
  if (!encoder) return NULL;
  vpx_codec_enc_cfg_t *config = &encoder->config;
  if (vpx_codec_enc_config_default(vpx_codec_vp8_cx(), config, 0)) goto failed;
  config->g_w = options->width;
  config->g_h = options->height;
  config->g_timebase.num = 1;
  config->g_timebase.den = 90000;
  config->g_threads = options->threads;
  config->g_lag_in_frames = 0;
  config->g_error_resilient = 0;
  config->rc_end_usage = VPX_CBR;
  config->rc_target_bitrate = options->kilobits;
  config->rc_dropframe_thresh = 30;
  config->rc_resize_allowed = 0;
  config->rc_min_quantizer = 2;
  config->rc_max_quantizer = 56;
  config->rc_undershoot_pct = 100;
  config->rc_overshoot_pct = 15;
  config->rc_buf_initial_sz = 500;
  config->rc_buf_optimal_sz = 600;
  config->rc_buf_sz = 1000;
  config->kf_mode = VPX_KF_AUTO;
  config->kf_min_dist = 0;
  config->kf_max_dist = options->key_frame_interval;
  if (vpx_codec_enc_init(&encoder->context, vpx_codec_vp8_cx(), config, 0)) goto failed;
  if (tune(encoder, options)) {
    vpx_codec_destroy(&encoder->context);
    goto failed;
  }
  return encoder;
failed:
  free(encoder);
  return NULL;
}

void sidetone_vp8_encoder_close(struct sidetone_vp8_encoder *encoder) {
  vpx_codec_destroy(&encoder->context);
  free(encoder);
}

int sidetone_vp8_encoder_set_bitrate(struct sidetone_vp8_encoder *encoder, uint32_t kilobits) {
  encoder->config.rc_target_bitrate = kilobits;
  return vpx_codec_enc_config_set(&encoder->context, &encoder->config);
}

/* The planes are only read. */
int sidetone_vp8_encode(struct sidetone_vp8_encoder *encoder, const uint8_t *y, const uint8_t *u, const uint8_t *v,
                        int64_t time, uint32_t duration, int key) {
  vpx_image_t image;
  unsigned int width = encoder->config.g_w;
  if (!vpx_img_wrap(&image, VPX_IMG_FMT_I420, width, encoder->config.g_h, 1, (uint8_t *)y)) return -1;
  image.planes[VPX_PLANE_Y] = (uint8_t *)y;
  image.planes[VPX_PLANE_U] = (uint8_t *)u;
  image.planes[VPX_PLANE_V] = (uint8_t *)v;
  image.stride[VPX_PLANE_Y] = (int)width;
  image.stride[VPX_PLANE_U] = (int)((width + 1) / 2);
  image.stride[VPX_PLANE_V] = (int)((width + 1) / 2);
  encoder->packets = NULL;
  return vpx_codec_encode(&encoder->context, &image, time, duration, key ? VPX_EFLAG_FORCE_KF : 0, VPX_DL_REALTIME);
}

/* 1 and the next packet of the last picture, valid until the next call; 0 where there is none. */
int sidetone_vp8_encoder_packet(struct sidetone_vp8_encoder *encoder, const uint8_t **data, size_t *length, int *key) {
  const vpx_codec_cx_pkt_t *packet;
  while ((packet = vpx_codec_get_cx_data(&encoder->context, &encoder->packets))) {
    if (packet->kind != VPX_CODEC_CX_FRAME_PKT) continue;
    *data = packet->data.frame.buf;
    *length = packet->data.frame.sz;
    *key = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
    return 1;
  }
  return 0;
}

struct sidetone_vp8_decoder {
  vpx_codec_ctx_t context;
};

struct sidetone_vp8_picture {
  const uint8_t *planes[3];
  uint32_t strides[3];
  uint32_t width;
  uint32_t height;
};

struct sidetone_vp8_decoder *sidetone_vp8_decoder_open(void) {
  struct sidetone_vp8_decoder *decoder = calloc(1, sizeof *decoder);
  vpx_codec_dec_cfg_t config;
  if (!decoder) return NULL;
  memset(&config, 0, sizeof config);
  config.threads = 1;
  if (vpx_codec_dec_init(&decoder->context, vpx_codec_vp8_dx(), &config, 0)) {
    free(decoder);
    return NULL;
  }
  return decoder;
}

void sidetone_vp8_decoder_close(struct sidetone_vp8_decoder *decoder) {
  vpx_codec_destroy(&decoder->context);
  free(decoder);
}

/* 1 and a picture that is valid until the next call, 0 where the frame shows none, negative where it is damaged. */
int sidetone_vp8_decode(struct sidetone_vp8_decoder *decoder, const uint8_t *data, uint32_t length,
                        struct sidetone_vp8_picture *picture) {
  vpx_codec_iter_t iter = NULL;
  const vpx_image_t *image;
  int corrupted = 0;
  int plane;
  if (vpx_codec_decode(&decoder->context, data, length, NULL, 0)) return -1;
  if (vpx_codec_control(&decoder->context, VP8D_GET_FRAME_CORRUPTED, &corrupted) || corrupted) return -2;
  image = vpx_codec_get_frame(&decoder->context, &iter);
  if (!image) return 0;
  if (image->fmt != VPX_IMG_FMT_I420) return -3;
  for (plane = 0; plane < 3; plane++) {
    if (!image->planes[plane] || image->stride[plane] <= 0) return -3;
    picture->planes[plane] = image->planes[plane];
    picture->strides[plane] = (uint32_t)image->stride[plane];
  }
  picture->width = image->d_w;
  picture->height = image->d_h;
  return 1;
}
